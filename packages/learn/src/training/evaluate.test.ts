import { runConfigSchema } from "@learnloss/contract"
import { createRng, initializeParameters } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { requireClassification } from "../data/dataset.ts"
import { openDataset } from "../data/open-dataset.ts"
import { openLearner } from "../resolve-run.ts"
import { type BatchMaker, createBatchMaker } from "./batches.ts"
import { type EvaluateOptions, evaluateSamples } from "./evaluate.ts"
import { buildTraining } from "./learner.ts"

const config = runConfigSchema.parse({
  data: "shapes",
  model: { name: "cnn4", width: 4 },
  training: { steps: 1, batch: 8 },
  budget: { initial: 8, perCycle: 8, cycles: 1 },
  strategies: ["random"],
})
const opened = await openDataset("shapes:300,20", {
  imageSize: 32,
  rng: createRng("shapes"),
  onProgress() {},
  onDefect() {},
})
const dataset = requireClassification(opened, "this test")
const { learner } = await openLearner(config, dataset, "random")
const images = createBatchMaker(dataset, learner.task, { crop: 0, flip: false })
const weights = initializeParameters(buildTraining(learner, 8).network.specs, createRng("weights"))

function evaluate(changes: Partial<EvaluateOptions> = {}) {
  return evaluateSamples({
    learner,
    weights,
    batches: images,
    split: "train",
    positions: dataset.train.ids.map((_, position) => position),
    wanted: ["targetLoss"],
    threads: 1,
    device: "cpu",
    signal: new AbortController().signal,
    onProgress() {},
    ...changes,
  })
}

/** Batches that are ready only after a while. */
function late(milliseconds: number): BatchMaker {
  return {
    ...images,
    async evaluation(...given) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      return images.evaluation(...given)
    },
  }
}

describe("evaluateSamples", () => {
  test("gives the rows of single batches in the order of the positions", async () => {
    const { targetLoss } = await evaluate()
    const backwards = await evaluate({ positions: dataset.train.ids.map((_, position) => 299 - position) })
    expect(targetLoss.rows).toBe(300)
    for (const position of [0, 127, 128, 255, 256, 299]) {
      expect(backwards.targetLoss.data[299 - position]).toBeCloseTo(targetLoss.data[position] as number, 5)
    }
  })

  test("tells for how long the network waited for images, and gives the same for it", async () => {
    const waits: number[] = []
    const onWait = (seconds: number) => void waits.push(seconds)
    const prompt = await evaluate({ onWait })
    const waiting = await evaluate({ batches: late(300), onWait })
    expect(waiting).toEqual(prompt)
    // Two of three batches come after the network was free; the first was awaited while it was compiled.
    expect(waits[1]).toBeGreaterThan(0.4)
    expect(waits[0]).toBeLessThan(0.2)
  })

  test("ends in good order when it is interrupted or a batch cannot be made", async () => {
    const abort = new AbortController()
    await expect(evaluate({ signal: abort.signal, onProgress: () => abort.abort() })).rejects.toMatchObject({
      code: "INTERRUPTED",
    })
    let made = 0
    const failing: BatchMaker = {
      ...images,
      evaluation(...given) {
        if (++made === 2) throw new Error("a broken image")
        return images.evaluation(...given)
      },
    }
    await expect(evaluate({ batches: failing })).rejects.toThrow("a broken image")
    await evaluate()
  })
})
