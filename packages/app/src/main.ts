import type { LoadParts } from "./cli/experiment.ts"
import { exitCodes, reportFailure } from "./cli/failure.ts"
import { listenForInterrupt } from "./cli/interrupt.ts"
import type { CommandIo } from "./cli/io.ts"
import { processIo } from "./cli/process-io.ts"
import { createProgram } from "./cli/program.ts"

/** What tests replace. */
export interface MainOptions {
  readonly io?: CommandIo
  readonly loadParts?: LoadParts
}

/** Runs `learnloss` with the given arguments and returns the exit code. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  const interrupt =
    options.io === undefined ? listenForInterrupt(process, (text) => process.stderr.write(text)) : undefined
  const io = options.io ?? processIo(interrupt?.signal ?? new AbortController().signal)
  try {
    await createProgram(io, options.loadParts ?? loadExperimentParts).parseAsync(args, { from: "user" })
    return exitCodes.done
  } catch (error) {
    return reportFailure(error, io, args.includes("--json"))
  } finally {
    interrupt?.stop()
  }
}

const loadExperimentParts: LoadParts = async (io) => {
  const { createExperimentParts } = await import("./experiments/real-parts.ts")
  return createExperimentParts(io)
}
