import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createFakeTrial, fakeParts, quietOptions, recordsOf, writeFakeSettings } from "./fake-parts.test-suite.ts"
import { loadRunConfig } from "./load-config.ts"
import type { ExperimentParts } from "./parts.ts"
import { type ExperimentOptions, resumeRun, startRun } from "./run-experiment.ts"

let root: string
let folder: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-jobs-"))
  folder = join(root, "run")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const strategies = "strategies=[random, entropy, core-set, learning-loss]"
const settings = (jobs: number) =>
  loadRunConfig(writeFakeSettings(root), { set: [strategies, `engine.jobs=${jobs}`, "trials=2"] })

/** A trial that waits a moment after each step, as real ones do, so that others go on meanwhile. */
const slowTrial = createFakeTrial({ stepMs: 1 })

interface Watched extends ExperimentOptions {
  /** What started and ended, in order. */
  readonly log: string[]
  readonly most: () => number
}

function options(runTrial = slowTrial, stopAfterSteps = Number.POSITIVE_INFINITY): Watched {
  const controller = new AbortController()
  const log: string[] = []
  let [running, most, steps] = [0, 0, 0]
  const watched: ExperimentParts["runTrial"] = async (trial) => {
    log.push(`start ${trial.strategy} ${trial.trial}`)
    most = Math.max(most, ++running)
    try {
      await runTrial(trial)
    } finally {
      running--
    }
  }
  const quiet = quietOptions(folder, {
    parts: fakeParts({ runTrial: watched }),
    signal: controller.signal,
    watch: () => ({
      say() {},
      show(event) {
        if (event.type === "cycle-finished") log.push(`end ${event.strategy} ${event.trial} ${event.cycle}`)
        if (event.type === "step" && ++steps === stopAfterSteps) controller.abort()
      },
      close() {},
    }),
  })
  return { ...quiet, log, most: () => most }
}

describe("a run with two jobs at once", () => {
  it("leaves the records of one job after the other, in the same order", async () => {
    const [one, two] = [options(), options()]
    await startRun(settings(1), one)
    const whole = recordsOf(folder)
    expect(one.most()).toBe(1)
    rmSync(folder, { recursive: true })
    await startRun(settings(2), two)
    expect(two.most()).toBe(2)
    expect(recordsOf(folder)).toEqual(whole)
  })

  it("starts what shares a cycle when that is on record, and what needs nothing before", async () => {
    const { log, ...given } = options()
    await startRun(settings(2), given)
    expect(log.filter((line) => line.startsWith("start")).slice(0, 2)).toEqual([
      "start random 1",
      "start learning-loss 1",
    ])
    for (const trial of [1, 2]) {
      const shared = log.indexOf(`end random ${trial} 1`)
      for (const follower of ["entropy", "core-set"]) {
        expect(log.indexOf(`start ${follower} ${trial}`)).toBeGreaterThan(shared)
      }
    }
  })

  it("fills a free place as soon as a first cycle is shared, not only when a job ends", async () => {
    const { log, ...given } = options()
    await startRun(
      loadRunConfig(writeFakeSettings(root), { set: ["strategies=[random, entropy]", "engine.jobs=2", "trials=1"] }),
      given,
    )
    expect(log.indexOf("start entropy 1")).toBe(log.indexOf("end random 1 1") + 1)
  })

  it("ends with the same records wherever it was interrupted", async () => {
    await startRun(settings(2), options())
    const whole = recordsOf(folder)
    for (const steps of [1, 3, 4, 7, 20, 40, 57]) {
      rmSync(folder, { recursive: true })
      await expect(startRun(settings(2), options(slowTrial, steps))).rejects.toMatchObject({ code: "INTERRUPTED" })
      if (steps === 7) await expect(resumeRun(options(slowTrial, 9))).rejects.toMatchObject({ code: "INTERRUPTED" })
      await resumeRun(options())
      expect(recordsOf(folder), `interrupted after ${steps} steps`).toEqual(whole)
    }
  })

  it("stops the other job in good order when one fails, tells why it failed, and can go on", async () => {
    await startRun(settings(2), options())
    const whole = recordsOf(folder)
    rmSync(folder, { recursive: true })
    const others: unknown[] = []
    const failing: ExperimentParts["runTrial"] = async (trial) => {
      if (trial.strategy === "entropy") {
        throw new LearnlossError("LOSS_NOT_FINITE", { where: "entropy", expected: "a loss", got: "NaN" })
      }
      await slowTrial(trial).catch((error: unknown) => {
        others.push(error)
        throw error
      })
    }
    await expect(startRun(settings(2), options(failing))).rejects.toMatchObject({ code: "LOSS_NOT_FINITE" })
    expect(others).toEqual([expect.objectContaining({ code: "INTERRUPTED" })])
    await resumeRun(options())
    expect(recordsOf(folder)).toEqual(whole)
  })

  it("puts the records in order that a kill before the report left out of it", async () => {
    await startRun(settings(1), options())
    const whole = recordsOf(folder)
    rmSync(folder, { recursive: true })
    const given = options()
    const killed = { ...given, parts: { ...given.parts, writeReport: () => Promise.reject(new Error("killed")) } }
    await expect(startRun(settings(2), killed)).rejects.toThrow("killed")
    await resumeRun(options())
    expect(recordsOf(folder)).toEqual(whole)
  })
})
