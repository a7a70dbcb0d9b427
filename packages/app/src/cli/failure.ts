import { LearnlossError } from "@learnloss/engine"
import { CommanderError } from "commander"
import { isInterruption } from "../experiments/interruption.ts"
import type { CommandIo } from "./io.ts"

/** What the command's exit code says. */
export const exitCodes = { done: 0, defect: 1, badInput: 2, interrupted: 130 } as const

/** Ends a command whose output has already said what input was bad. */
export class Told extends Error {}

/** Tells a person, and with `--json` a program, what ended the command; returns the exit code. */
export function reportFailure(error: unknown, io: CommandIo, isJson: boolean): number {
  // Commander has already printed help, version or what is wrong with the arguments.
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done
  if (error instanceof Told) return exitCodes.badInput
  const code = exitCodeOf(error, io.signal)
  if (code === exitCodes.badInput && error instanceof LearnlossError) io.stderr(`\nlearnloss: ${error.message}\n`)
  if (code === exitCodes.defect) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    io.stderr(`\nlearnloss: this is a defect of learnloss. Please report it together with these lines.\n${stack}\n`)
  }
  if (isJson) io.stdout(`${JSON.stringify({ error: describe(error, code) }, null, 2)}\n`)
  return code
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (isInterruption(error, signal)) return exitCodes.interrupted
  return error instanceof LearnlossError || error instanceof CommanderError ? exitCodes.badInput : exitCodes.defect
}

function describe(error: unknown, exitCode: number): object {
  if (error instanceof LearnlossError) {
    const { where, expected, got, fix } = error.details
    return { code: error.code, message: error.message, where, expected, got, ...(fix === undefined ? {} : { fix }) }
  }
  if (exitCode === exitCodes.interrupted) return { code: "INTERRUPTED", message: "interrupted" }
  const message = error instanceof Error ? error.message : String(error)
  return { code: error instanceof CommanderError ? "USAGE" : "DEFECT", message }
}
