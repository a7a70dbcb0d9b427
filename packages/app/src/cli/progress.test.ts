import type { CycleRecord } from "@learnloss/contract"
import { describe, expect, it } from "vitest"
import { loadRunConfig } from "../experiments/load-config.ts"
import { cycleRow, cycleRowHead } from "./cycle-rows.ts"
import { formatDuration } from "./duration.ts"
import type { ProgressEvent } from "./progress.ts"
import { createProgress } from "./progress.ts"
import { createProgressMeter } from "./progress-meter.ts"

// Two strategies, three cycles of 30 steps: 180 steps.
const config = loadRunConfig("shapes-tiny", { set: ["strategies=[random, learning-loss]", "training.steps=30"] })
const place = { strategy: "learning-loss", trial: 1, cycle: 2 } as const
const started: ProgressEvent = {
  type: "cycle-started",
  ...place,
  labels: 60,
  steps: 30,
  fromStep: 10,
  lossModule: "joint",
}
const step = (at: number): ProgressEvent => ({
  type: "step",
  ...place,
  step: at,
  steps: 30,
  loss: 0.5,
  lossPrediction: 1,
  learningRate: 0.1,
  imagesPerSecond: 3150,
})
const record: CycleRecord = {
  ...place,
  labels: 1000,
  metrics: { accuracy: 0.71326 },
  lossModule: "joint",
  rankingAccuracy: 0.882,
  confidenceRankingAccuracy: null,
  lift: 2.314,
  confidenceLift: 2,
  trainLoss: 0.1,
  testLoss: 0.2,
  trainSeconds: 10,
  dataWaitSeconds: 0,
  evaluateSeconds: 2,
  selectSeconds: 1.5,
}

function watch(isTerminal: boolean, stepsBefore = 0, jobs = 1) {
  const clock = { ms: 0 }
  const output: string[] = []
  const io = {
    stdout: () => {},
    stderr: (text: string) => void output.push(text),
    isTerminal,
    signal: new AbortController().signal,
  }
  const progress = createProgress(io, {
    config: { ...config, engine: { ...config.engine, jobs } },
    stepsBefore,
    now: () => clock.ms,
  })
  return { clock, output, progress }
}

/** An event of the other strategy, which trains at the same time. */
const beside = (event: ProgressEvent): ProgressEvent => ({ ...event, strategy: "random", cycle: 1 })

describe("progress without a terminal", () => {
  it("prints at most one line in five seconds, with speed and both times left", () => {
    const { clock, output, progress } = watch(false, 30)
    progress.show(started)
    for (let at = 11; at <= 30; at++) {
      clock.ms += 1000
      progress.show(step(at))
    }
    expect(output).toHaveLength(4)
    expect(output[0]).toBe(
      "learning-loss, trial 1, cycle 2 of 3: step 15 of 30, loss 0.500, module 1.000, 3,150 images/s, 15 s left in this cycle, 2 min 15 s in all\n",
    )
  })

  it("prints every cycle, below one head", () => {
    const { output, progress } = watch(false)
    progress.show({ type: "cycle-finished", ...place, record })
    progress.show({ type: "cycle-finished", ...place, record })
    expect(output).toEqual([`${cycleRowHead(record)}\n`, `${cycleRow(record)}\n`, `${cycleRow(record)}\n`])
  })

  it("prints a line for each of the jobs that train at once", () => {
    const { clock, output, progress } = watch(false, 0, 2)
    for (const event of [started, beside(started)]) progress.show(event)
    clock.ms = 6000
    for (const event of [step(11), beside(step(11)), step(12)]) progress.show(event)
    expect(output.map((line) => line.split(":")[0])).toEqual([
      "learning-loss, trial 1, cycle 2 of 3",
      "random, trial 1, cycle 1 of 3",
    ])
  })

  it("says when scoring takes long", () => {
    const { clock, output, progress } = watch(false)
    clock.ms = 6000
    progress.show({ type: "scoring", ...place, done: 4000, total: 16000 })
    expect(output.join("")).toContain("scoring 4,000 of 16,000 images")
  })
})

describe("progress on a terminal", () => {
  it("draws two bars, keeps the rows of the cycles above them and leaves the terminal in order", () => {
    const { clock, output, progress } = watch(true)
    progress.say("the plan")
    progress.show(started)
    clock.ms = 1000
    progress.show(step(11))
    progress.show({ type: "evaluating", ...place, done: 1, total: 2 })
    progress.show({ type: "cycle-finished", ...place, record })
    progress.close()
    const text = output.join("")
    expect(output[0]).toBe("the plan\n")
    expect(text).toContain(cycleRow(record))
    expect(text).toContain("2 min 30 s in all, loss 0.500, module 1.000, 3,150 images/s")
    expect(text.lastIndexOf("\x1b[?25h")).toBeGreaterThan(text.lastIndexOf("\x1b[?25l"))
  })

  it("draws a bar for each of the jobs that train at once, and gives it to the next one", () => {
    const { clock, output, progress } = watch(true, 0, 2)
    for (const event of [started, beside(started), step(20), beside(step(15))]) progress.show(event)
    progress.show({ type: "cycle-finished", ...place, cycle: 3, record: { ...record, cycle: 3 } })
    clock.ms = 1000
    progress.show({ ...started, trial: 2, cycle: 1 })
    progress.close()
    const text = output.join("")
    expect(text).toContain("random trial 1 cycle 1")
    expect(text).toContain("learning-loss trial 2 cycle 1")
  })

  it("can be closed before anything was drawn", () => {
    watch(true).progress.close()
  })
})

describe("createProgressMeter", () => {
  it("counts a resumed cycle's steps as done but not as measured", () => {
    let ms = 0
    const meter = createProgressMeter(config, 30, () => ms)
    expect(meter.read(started)).toMatchObject({ runSteps: 40, allSteps: 180, cycleSecondsLeft: null })
    ms = 2000
    expect(meter.read(step(11))).toEqual({ runSteps: 41, allSteps: 180, cycleSecondsLeft: 38, runSecondsLeft: 278 })
    expect(meter.read({ type: "cycle-finished", ...place, record }).runSteps).toBe(60)
  })

  it("adds up what trains at once", () => {
    let ms = 0
    const meter = createProgressMeter(config, 0, () => ms)
    for (const event of [started, beside(started)]) meter.read(event)
    ms = 4000
    meter.read(step(12))
    // Four steps in four seconds, 156 of 180 are left; this cycle alone does one in two seconds.
    expect(meter.read(beside(step(12)))).toMatchObject({ runSteps: 24, runSecondsLeft: 156, cycleSecondsLeft: 36 })
  })

  it("counts no steps for a cycle that another strategy trained", () => {
    const meter = createProgressMeter(config, 0, () => 0)
    meter.read({ ...started, cycle: 1, fromStep: 30, sharedWith: "random" })
    expect(meter.read({ type: "cycle-finished", ...place, record }).runSteps).toBe(0)
  })
})

describe("cycleRow", () => {
  it("stands under its head", () => {
    expect(cycleRow(record)).toMatch(/^learning-loss +1 +2 +1000 +71\.3% +88\.2% \/ - +2\.31 +13\.5$/)
    expect(cycleRow(record)).toHaveLength(cycleRowHead(record).split("\n")[1]!.length)
    expect(cycleRow(record).length).toBeLessThanOrEqual(80)
  })

  it("heads a detector's figures by what they are", () => {
    const detected = { ...record, metrics: { mAP: 0.5, mAP07: 0.49 } }
    expect(cycleRowHead(detected)).toMatch(/ labels +mAP@0\.5 /)
    expect(cycleRow(detected)).toContain(" 50.0% ")
  })
})

describe("formatDuration", () => {
  it.each([
    [null, "?"],
    [0.4, "0 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3600, "1 h"],
    [7199, "2 h"],
    [7500, "2 h 5 min"],
  ])("says %s seconds as %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })
})
