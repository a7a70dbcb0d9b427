import { main } from "../main.ts"

// A process of its own for killed-rank.test.ts.
process.exitCode = await main(process.argv.slice(2))
