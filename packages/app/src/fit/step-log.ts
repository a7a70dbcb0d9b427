import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs"
import { atomicWrite, LearnlossError } from "@learnloss/engine"

/** One line of a step log. Steps count from 1; `loss` is the mean target loss before the step's update. */
export interface StepLine {
  readonly step: number
  readonly loss: number
  readonly lossPrediction: number | null
  readonly learningRate: number
}

/** A file of one JSON line a training step. */
export interface StepLog {
  write(line: StepLine): void
  close(): void
}

/**
 * Opens a step log. Lines of steps that are trained again are dropped first, so that each step stands in it once.
 *
 * @param fromStep steps whose lines stay
 * @throws LearnlossError `FILE_NOT_WRITTEN`
 */
export function openStepLog(path: string, fromStep: number): StepLog {
  const attempt = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      if (error instanceof LearnlossError) throw error
      throw new LearnlossError("FILE_NOT_WRITTEN", {
        where: path,
        expected: "to write the log of steps",
        got: error instanceof Error ? error.message : String(error),
        fix: "Free some space or choose another --log.",
        cause: error,
      })
    }
  }
  const kept = existsSync(path)
    ? attempt(() => readFileSync(path, "utf8"))
        .split("\n")
        .slice(0, fromStep)
    : []
  const whole = kept.filter((line) => line !== "")
  attempt(() => atomicWrite(path, whole.map((line) => `${line}\n`).join("")))
  const descriptor = attempt(() => openSync(path, "a"))
  return {
    write: (line) => void attempt(() => writeSync(descriptor, `${JSON.stringify(line)}\n`)),
    close: () => closeSync(descriptor),
  }
}
