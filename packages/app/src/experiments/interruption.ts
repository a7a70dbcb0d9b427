import { LearnlossError } from "@learnloss/engine"

/** What a step that was asked to stop ends with. */
export function interrupted(where: string): LearnlossError {
  return new LearnlossError("INTERRUPTED", { where, expected: "to go on to the end", got: "an interruption" })
}

/** @throws LearnlossError `INTERRUPTED` when the signal has been given. */
export function throwIfInterrupted(signal: AbortSignal, where: string): void {
  if (signal.aborted) throw interrupted(where)
}

/** True for the errors that Ctrl-C leads to, also from calls that know nothing of learnloss. */
export function isInterruption(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof LearnlossError && error.code === "INTERRUPTED") return true
  return signal.aborted && error instanceof Error && error.name === "AbortError"
}
