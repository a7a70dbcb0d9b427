import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runConfigSchema } from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import { expect, test } from "vitest"
import type { DetectionTarget } from "../../data/boxes.ts"
import type { DetectionDataset, PictureSet } from "../../data/dataset.ts"
import { openDataset } from "../../data/open-dataset.ts"
import type { CycleResult } from "../../events.ts"
import { runTrial } from "../../loop.ts"

test("a small detector learns eight images by heart", { timeout: 600_000 }, async () => {
  const config = runConfigSchema.parse({
    data: "shapes-detection:20,10",
    task: "detection",
    imageSize: 128,
    model: { name: "ssd-mobile", width: 16 },
    augment: { photometric: false, expand: false, iouCrop: false, flip: false },
    training: { steps: 300, batch: 8, learningRate: 0.02, schedule: { kind: "cosine" } },
    budget: { initial: 8, perCycle: 1, cycles: 1 },
    strategies: ["learning-loss"],
    engine: { threads: 2, lowerings: "fixed" },
  })
  const opened = (await openDataset(config.data, { imageSize: 128, rng: createRng("by heart") })) as DetectionDataset
  const train = firstOf(opened.train, 8)
  // The same images under other ids, since a sample stands in one split only.
  const test = { ...train, ids: train.ids.map((id) => `again/${id}`) }
  const results: CycleResult[] = []
  await runTrial({
    config,
    dataset: { ...opened, train, test },
    strategy: "learning-loss",
    trial: 1,
    recorder: {
      finished: { cycles: [], selections: [] },
      checkpointFolder: mkdtempSync(join(tmpdir(), "learnloss-")),
      recordInitial() {},
      recordCycle: (result) => void results.push(result),
    },
    emit() {},
    signal: new AbortController().signal,
  })
  const [result] = results
  expect(result?.record.metrics.mAP).toBeGreaterThan(0.95)
  expect(result?.record.labeledObjects).toBe(train.targets.flatMap(({ boxes }) => boxes).length)
})

function firstOf(set: PictureSet<DetectionTarget>, count: number): PictureSet<DetectionTarget> {
  return { ids: set.ids.slice(0, count), targets: set.targets.slice(0, count), picture: set.picture }
}
