import { runConfigSchema } from "@learnloss/contract"
import { describe, expect, test } from "vitest"
import { shareOfTraining, stepsOfCycle } from "./moments.ts"

const training = runConfigSchema.shape.training

describe("moments of training", () => {
  test("epochs, steps and shares name the same moment", () => {
    expect(shareOfTraining(120, { epochs: 200 })).toBe(0.6)
    expect(shareOfTraining(300, { steps: 500 })).toBe(0.6)
    expect(shareOfTraining("60%", { steps: 500 })).toBe(0.6)
  })

  test("the paper's epochs 120 and 160 begin exactly at their first step, whatever the number of labels", () => {
    for (let labels = 1000; labels <= 10_000; labels += 1000) {
      const steps = stepsOfCycle(training.parse({ epochs: 200, batch: 128 }), labels)
      const perEpoch = steps / 200
      for (const epoch of [120, 160]) {
        const share = Math.fround(shareOfTraining(epoch, { epochs: 200 }))
        expect(Math.fround((epoch * perEpoch) / steps) >= share).toBe(true)
        expect(Math.fround((epoch * perEpoch - 1) / steps) < share).toBe(true)
      }
    }
  })

  test("an epoch of 1,000 images in batches of 128 has eight steps", () => {
    expect(stepsOfCycle(training.parse({ epochs: 3, batch: 128 }), 1000)).toBe(24)
  })
})
