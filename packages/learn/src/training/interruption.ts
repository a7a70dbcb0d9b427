import { LearnlossError } from "@learnloss/engine"

/**
 * Ends work that was asked to stop.
 *
 * @throws LearnlossError `INTERRUPTED`
 */
export function throwIfAborted(signal: AbortSignal, where: string): void {
  if (!signal.aborted) return
  throw new LearnlossError("INTERRUPTED", {
    where,
    expected: "to finish",
    got: "a request to stop",
    fix: "All finished work is kept.",
  })
}
