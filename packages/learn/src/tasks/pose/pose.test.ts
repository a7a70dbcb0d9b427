import { type RunConfigInput, runConfigSchema, type StrategyName } from "@learnloss/contract"
import {
  compileEvaluation,
  compileTrainStep,
  createRng,
  fixedPlan,
  floatTensor,
  initializeParameters,
} from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { PersonTarget, Skeleton, Visibility } from "../../data/people.ts"
import type { Heatmaps } from "../../models/model.ts"
import { openModel } from "../../models/open-model.ts"
import { buildEvaluation, buildTraining, imagesInput, type Learner } from "../../training/learner.ts"
import { strategyTraining } from "../../training/strategy-training.ts"
import { makeTask } from "../tasks.ts"
import { pose } from "./pose.ts"

const skeleton: Skeleton = { names: ["head_top", "left_hip", "right_hip"], bones: [[1, 2]], pairs: [[1, 2]] }
const data = { classNames: skeleton.names, skeleton }
const imageShape = { channels: 3, height: 64, width: 64 }

const joint = (x: number, y: number, visibility: Visibility = 2) => ({ x, y, visibility })
const person: PersonTarget = {
  width: 200,
  height: 100,
  joints: [joint(60, 20), joint(50, 60, 1), joint(70, 60)],
  crop: { center: [60, 50], side: 100 },
  box: [30, 10, 90, 90],
  area: 2000,
  head: null,
  imageId: "field",
}
const people: PersonTarget[] = [
  person,
  { ...person, joints: [joint(0, 0, 0), joint(150, 60), joint(60, 60)], imageId: "hall" },
]

async function learnerOf(
  strategy: StrategyName,
  {
    training = "by-strategy",
    pose = {},
    stacks = 1,
  }: { training?: "by-strategy" | "detached"; pose?: RunConfigInput["pose"]; stacks?: number } = {},
): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "none",
    task: "pose",
    model: { name: "hourglass", width: 4, stacks },
    lossModule: { width: 8, training },
    pose,
    training: { steps: 1, batch: 2 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: [strategy],
  })
  const { model } = await openModel(config, { imageShape, classes: skeleton.names.length })
  const task = makeTask("pose", { data, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
}

function noise(name: string) {
  const rng = createRng(name)
  return floatTensor(
    [2, 3, 64, 64],
    Float32Array.from({ length: 2 * 3 * 64 ** 2 }, () => rng.normal()),
  )
}

describe("the pose task", () => {
  test("counts the labelled joints of people, and of each name", async () => {
    const { task } = await learnerOf("random")
    expect(task.countObjects?.(people)).toBe(5)
    expect(task.countClasses(people)).toEqual([1, 2, 2])
  })

  test("teaches joints by their place in the crop, and none that is not labelled or lies outside", async () => {
    const { task } = await learnerOf("random")
    const { joints, weights } = task.encodeTargets(people)
    expect(weights).toEqual({ dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 1, 1, 0, 0, 1) })
    const places = [0.5, 0.2, 0.4, 0.6, 0.6, 0.6, 0, 0, 0, 0, 0.5, 0.6]
    expect(joints).toEqual({ dtype: "float32", shape: [2, 3, 2], data: Float32Array.from(places) })
  })

  test("refuses test people by which nothing can be measured, before training", async () => {
    const { task } = await learnerOf("random")
    task.requireMeasurable?.(people)
    const unlabelled = people.map((each) => ({ ...each, joints: each.joints.map(() => joint(0, 0, 0)) }))
    expect(() => task.requireMeasurable?.(unlabelled)).toThrow(/at least one with labelled joints and a box or head/)
    expect(() => task.requireMeasurable?.(people.map((each) => ({ ...each, box: null })))).toThrow(/none of 2/)
  })

  test("takes networks with heat-maps only, as no other task takes any", async () => {
    const { model, config } = await learnerOf("random")
    const full = runConfigSchema.parse({
      ...config,
      data: "none",
      budget: { initial: 1, perCycle: 1, cycles: 1 },
      strategies: ["random"],
    })
    const { heatmaps: _, ...classifier } = model
    expect(() => makeTask("pose", { data, model: classifier, config: full })).toThrow(/hourglass/)
    expect(() => makeTask("classification", { data, model, config: full })).toThrow(/Set task to pose/)
    expect(() => makeTask("detection", { data, model, config: full })).toThrow(
      /one that predicts a heat-map of each joint/,
    )
  })

  test("shows a person's crop and joints in pixels of the image", async () => {
    const { task } = await learnerOf("random")
    const found = { score: 0.75, joints: [0, 0.5, 1].map((at) => ({ x: at, y: at / 2, score: 0.75 })) }
    expect(task.objectsToShow?.(found, person)).toEqual([
      {
        classIndex: 0,
        score: 0.75,
        box: [10, 0, 110, 100],
        joints: [
          [10, 0, 0.75],
          [60, 25, 0.75],
          [110, 50, 0.75],
        ],
      },
    ])
  })

  test("sees the mirror image too where asked to, with left and right swapped back", async () => {
    const [plain, both] = [
      await learnerOf("random", { stacks: 2 }),
      await learnerOf("random", { stacks: 2, pose: { flipTest: true } }),
    ]
    const weights = initializeParameters(buildTraining(plain, 2).network.specs, createRng("weights"))
    const images = noise("pictures")
    const mirrored = floatTensor(images.shape, Float32Array.from(images.data as Float32Array))
    for (let row = 0; row < mirrored.data.length; row += 64)
      (mirrored.data as Float32Array).subarray(row, row + 64).reverse()
    const run = async (learner: Learner, pictures: typeof images) => {
      const { graph, outputs } = buildEvaluation(learner, 2, weights, ["prediction", "output", "embedding"])
      const session = await compileEvaluation(graph, outputs, { threads: 1 }, fixedPlan)
      const found = await session.run({ [imagesInput]: pictures })
      await session.release()
      return found
    }
    const [seen, reversed, merged] = [await run(plain, images), await run(plain, mirrored), await run(both, images)]
    expect(merged.output?.shape).toEqual([2, 2, 3, 16, 16])
    expect(merged.output?.data).toEqual(seen.output?.data)
    expect(merged.embedding?.data).toEqual(seen.embedding?.data)
    const of = (found: typeof seen) => found.prediction?.data as Float32Array
    const expected = of(seen).map((value, index) => {
      const [row, column] = [Math.floor(index / 16) % 16, index % 16]
      const [sample, map] = [Math.floor(index / 768), Math.floor(index / 256) % 3]
      const swapped = [0, 2, 1][map] as number
      return (value + (of(reversed)[((sample * 3 + swapped) * 16 + row) * 16 + 15 - column] as number)) / 2
    })
    expect(of(merged).length).toBe(2 * 3 * 256)
    for (const [index, value] of expected.entries()) expect(of(merged)[index]).toBeCloseTo(value, 5)
  })

  test("sees no mirror image where no joints change places", async () => {
    const { model } = await learnerOf("random")
    const settings = { lossDivisor: "joints", flipTest: true } as const
    const heatmaps = model.heatmaps as Heatmaps
    expect(pose(data, heatmaps, settings)).toHaveProperty("flipTest")
    const sideless = { ...data, skeleton: { ...skeleton, pairs: [] } }
    expect(pose(sideless, heatmaps, settings)).not.toHaveProperty("flipTest")
  })

  test.each([
    ["joint", "learning-loss", "by-strategy"],
    ["detached", "learning-loss", "detached"],
    ["detached with statistics of the heat-maps", "learning-loss-outputs", "by-strategy"],
  ] as const)("trains the loss module %s", async (how, strategy, training) => {
    const moves = async (learner: Learner) => {
      const spec = buildTraining(learner, 2)
      const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
      const parameters = initializeParameters(spec.network.specs, createRng("hourglass"))
      await step.load({ parameters, optimizer: new Map() })
      const report = await step.run({ images: noise("images"), ...learner.task.encodeTargets(people) }, 0)
      const after = (await step.state()).parameters
      await step.release()
      const network = [...after].filter(([name]) => !name.startsWith("lossModule"))
      return {
        report,
        after: new Map(network.map(([name, { data: values }]) => [name, [...(values as Float32Array)]])),
      }
    }
    const plain = await moves(await learnerOf("random"))
    const { report, after } = await moves(await learnerOf(strategy, { training }))
    expect(plain.after.size).toBeGreaterThan(100)
    expect(report.observed["loss prediction"]?.[0]).toBeGreaterThan(0)
    expect(report.observed["target loss"]?.[0]).toBeCloseTo(plain.report.loss, 5)
    // Only a joint module's gradient reaches the network.
    if (how === "joint") expect(after.get("conv1.weight")).not.toEqual(plain.after.get("conv1.weight"))
    else expect(after).toEqual(plain.after)
  })
})
