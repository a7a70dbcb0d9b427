import { main } from "../main.ts"

// A process of its own for tests that kill it.
process.exitCode = await main(process.argv.slice(2))
