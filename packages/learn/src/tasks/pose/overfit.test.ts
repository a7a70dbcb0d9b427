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
import { type PersonTarget, type Pose, placeInImage, type Skeleton } from "../../data/people.ts"
import { hourglass } from "../../models/hourglass/hourglass.ts"
import { buildEvaluation, buildTraining, imagesInput, type Learner } from "../../training/learner.ts"
import { makeTask } from "../tasks.ts"

const [side, batch, steps] = [64, 8, 60]
const skeleton: Skeleton = { names: ["head_top", "left_wrist", "right_wrist"], bones: [], pairs: [[1, 2]] }

/** Noise with a disc of a colour of its own at every joint; some joints are hidden and not labelled. */
function people() {
  const rng = createRng("people")
  const images = floatTensor(
    [batch, 3, side, side],
    Float32Array.from({ length: batch * 3 * side ** 2 }, () => 0.3 * rng.normal()),
  )
  const targets = Array.from({ length: batch }, (_, sample): PersonTarget => {
    const joints = skeleton.names.map((_name, joint) => {
      const [x, y] = [6 + rng.float() * (side - 12), 6 + rng.float() * (side - 12)]
      if ((sample + joint) % 8 === 0) return { x: 0, y: 0, visibility: 0 as const }
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > 5) continue
          const at = ((sample * 3 + joint) * side + row) * side + column
          images.data[at] = (images.data[at] as number) + 2
        }
      }
      return { x, y, visibility: 2 as const }
    })
    return {
      width: side,
      height: side,
      joints,
      crop: { center: [side / 2, side / 2], side },
      box: [16, 16, 48, 48],
      area: 1024,
      head: { length: 8, from: "head box" },
      imageId: String(sample),
    }
  })
  return { images, targets }
}

test("a small hourglass learns eight people by heart, between pixels of its maps", { timeout: 240_000 }, async () => {
  const imageShape = { channels: 3, height: side, width: side }
  const config = runConfigSchema.parse({
    data: "people",
    task: "pose",
    model: { name: "hourglass", width: 8, stacks: 1 },
    // In so few steps a mean of squared gradients that forgets slowly would hardly be one.
    training: {
      steps,
      batch,
      optimizer: "rmsprop",
      learningRate: 0.01,
      smoothing: 0.9,
      weightDecay: 0,
      schedule: { kind: "cosine" },
    },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: ["random"],
  })
  const model = hourglass({ width: 8, classes: 3, imageShape, hourglass: config.model })
  const task = makeTask("pose", { data: { classNames: skeleton.names, skeleton }, model, config })
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
  const { images, targets } = people()
  const feeds = { [imagesInput]: images, ...task.encodeTargets(targets) }
  const losses: number[] = []
  for (let done = 0; done < steps; done++) losses.push((await step.run(feeds, done / steps)).loss)
  const { parameters } = await step.state()
  await step.release()
  expect(losses[10]).toBeGreaterThan(0.004)
  expect(losses.at(-1)).toBeLessThan(0.001)

  const { graph, outputs } = buildEvaluation(learner, batch, parameters, ["prediction"])
  const session = await compileEvaluation(graph, outputs, { threads: 2 })
  const data = (await session.run({ [imagesInput]: images })).prediction?.data as Float32Array
  await session.release()
  const row = data.length / batch
  const found = targets.map((_, sample): Pose => task.decode(data.slice(sample * row, (sample + 1) * row)))
  const { PCKh, oks } = task.evaluate(found, targets) as { PCKh: number; oks: { ap: number } }
  expect(PCKh).toBeGreaterThan(0.95)
  expect(oks.ap).toBeGreaterThan(0.95)
  // A pixel of the maps is four of the images: joints are found between them.
  const misses = targets.flatMap(({ joints, crop }, sample) =>
    joints.flatMap(({ x, y, visibility }, index) => {
      const place = placeInImage(found[sample]?.joints[index] as Pose["joints"][number], crop)
      return visibility === 0 ? [] : [Math.hypot(place.x - x, place.y - y)]
    }),
  )
  expect(misses.length).toBe(21)
  expect(misses.reduce((sum, miss) => sum + miss, 0) / misses.length).toBeLessThan(1)
})
