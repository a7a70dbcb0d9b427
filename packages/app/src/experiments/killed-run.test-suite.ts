import { main } from "../main.ts"
import { createFakeTrial, fakeParts } from "./fake-parts.test-suite.ts"

// A process of its own for killed-run.test.ts: the command with parts that wait instead of training.
const parts = fakeParts({ runTrial: createFakeTrial({ stepMs: 12 }) })
process.exitCode = await main(process.argv.slice(2), { loadParts: async () => parts })
