import { runConfigSchema } from "@learnloss/contract"
import {
  compileEvaluation,
  compileTrainStep,
  createRng,
  fixedPlan,
  floatTensor,
  initializeParameters,
} from "@learnloss/engine"
import { expect, test } from "vitest"
import type { Box, DetectionTarget, LabeledBox } from "../../data/boxes.ts"
import { ssdMobile } from "../../models/ssd/mobile.ts"
import { buildEvaluation, buildTraining, imagesInput, type Learner } from "../../training/learner.ts"
import { makeTask } from "../tasks.ts"

const [side, batch, steps] = [128, 8, 70]
const classNames = ["red", "green", "blue"]

/** Images of noise with up to four rectangles apart from one another, each of one colour. */
function rectangles() {
  const rng = createRng("rectangles")
  const images = floatTensor(
    [batch, 3, side, side],
    Float32Array.from({ length: batch * 3 * side ** 2 }, () => 0.3 * rng.normal()),
  )
  const targets = Array.from({ length: batch }, (_, sample): DetectionTarget => {
    const boxes: LabeledBox[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      const [width, height] = [12 + rng.integer(40), 12 + rng.integer(40)]
      const [x, y, classIndex] = [rng.integer(side - width), rng.integer(side - height), rng.integer(3)]
      const box: Box = [x, y, x + width, y + height]
      if (boxes.some((other) => touch(other.box, box))) continue
      for (let row = y; row < y + height; row++) {
        const start = ((sample * 3 + classIndex) * side + row) * side
        for (let at = start + x; at < start + x + width; at++) images.data[at] = (images.data[at] as number) + 2
      }
      boxes.push({ classIndex, box, isDifficult: false })
    }
    return { width: side, height: side, boxes }
  })
  return { images, targets }
}

function touch(a: Box, b: Box): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

test("ssd-mobile learns eight images by heart, classes and boxes", { timeout: 240_000 }, async () => {
  const imageShape = { channels: 3, height: side, width: side }
  const model = ssdMobile({ width: 16, classes: classNames.length, imageShape })
  const config = runConfigSchema.parse({
    data: "rectangles",
    task: "detection",
    model: { name: "ssd-mobile" },
    training: { steps, batch, learningRate: 0.02, schedule: { kind: "cosine" } },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["random"],
  })
  const task = makeTask("detection", { data: { classNames }, model, config })
  const learner: Learner = {
    model,
    task,
    imageShape,
    strategyTraining: { lossModule: "none", objective: "ranking", readsOutputs: false },
    config,
  }
  const spec = buildTraining(learner, batch)
  const step = await compileTrainStep(spec, fixedPlan, { threads: 2 })
  const first = initializeParameters(spec.network.specs, createRng("overfit"))
  await step.load({ parameters: first, optimizer: new Map() })
  const { images, targets } = rectangles()
  const feeds = { [imagesInput]: images, ...task.encodeTargets(targets) }
  const losses: number[] = []
  for (let done = 0; done < steps; done++) losses.push((await step.run(feeds, done / steps)).loss)
  const { parameters } = await step.state()
  await step.release()
  expect(losses[0]).toBeGreaterThan(5)
  expect(losses.at(-1)).toBeLessThan(0.05)

  const { graph, outputs } = buildEvaluation(learner, batch, parameters, ["output"])
  const session = await compileEvaluation(graph, outputs, { threads: 2 })
  const data = (await session.run({ [imagesInput]: images })).output?.data as Float32Array
  await session.release()
  const row = data.length / batch
  const found = targets.map((_, sample) => task.decode(data.slice(sample * row, (sample + 1) * row)))
  const { mAP, coco } = task.evaluate(found, targets) as { mAP: number; coco: { ap: number } }
  expect(mAP).toBeGreaterThan(0.95)
  // boxes fit at stricter overlaps too
  expect(coco.ap).toBeGreaterThan(0.7)
})
