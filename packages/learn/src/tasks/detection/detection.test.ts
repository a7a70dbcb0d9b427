import { detectionSchema, poseSchema, runConfigSchema, type StrategyName } from "@learnloss/contract"
import { compileTrainStep, createRng, fixedPlan, initializeParameters, type Value } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import type { DetectionTarget } from "../../data/boxes.ts"
import { openModel } from "../../models/open-model.ts"
import { buildTraining, type Learner } from "../../training/learner.ts"
import { strategyTraining } from "../../training/strategy-training.ts"
import { makeTask } from "../tasks.ts"

const classNames = ["cat", "dog"]
const imageShape = { channels: 3, height: 96, width: 96 }
const square = { classIndex: 1, box: [16, 16, 56, 56], isDifficult: false } as const
const targets: DetectionTarget[] = [
  { width: 96, height: 96, boxes: [square, { ...square, classIndex: 0, isDifficult: true }] },
  { width: 192, height: 96, boxes: [] },
]

async function learnerOf(
  strategy: StrategyName,
  training: "by-strategy" | "detached" = "by-strategy",
): Promise<Learner> {
  const config = runConfigSchema.parse({
    data: "none",
    task: "detection",
    model: { name: "ssd-mobile", width: 8 },
    lossModule: { width: 8, training },
    training: { steps: 1, batch: 2 },
    budget: { initial: 1, perCycle: 1, cycles: 1 },
    strategies: [strategy],
  })
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  const task = makeTask("detection", { data: { classNames }, model, config })
  return { model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
}

describe("the detection task", () => {
  test("counts the objects of images, and of each class", async () => {
    const { task } = await learnerOf("random")
    expect(task.countObjects?.(targets)).toBe(2)
    expect(task.countClasses(targets)).toEqual([1, 1])
    const withCrowd = [{ ...targets[0], boxes: [square, { ...square, isCrowd: true as const }] }] as DetectionTarget[]
    expect(task.countObjects?.(withCrowd)).toBe(1)
    expect(task.countClasses(withCrowd)).toEqual([0, 1])
  })

  test("refuses test images by which nothing can be measured, before training", async () => {
    const { task } = await learnerOf("random")
    task.requireMeasurable?.(targets)
    const difficult = targets.map((target) => ({ ...target, boxes: target.boxes.filter((box) => box.isDifficult) }))
    expect(() => task.requireMeasurable?.(difficult)).toThrow(/at least one object that is not marked as difficult/)
  })

  test("takes detectors only, as classification takes none", async () => {
    const { model } = await learnerOf("random")
    const data = { classNames }
    const config = { detection: detectionSchema.parse({}), pose: poseSchema.parse({}) }
    const { defaultBoxes: _, ...classifier } = model
    expect(() => makeTask("detection", { data, model: classifier, config })).toThrow(/ssd-mobile/)
    expect(() => makeTask("classification", { data, model, config })).toThrow(/Set task to detection/)
  })

  test("has a loss of each image, and no other shape of it is trained on", async () => {
    const learner = await learnerOf("learning-loss")
    buildTraining(learner, 2)
    const { perSampleLoss } = learner.task
    const column = (output: Value, given: Readonly<Record<string, Value>>) => {
      const loss = perSampleLoss(output, given)
      return loss.graph.add("Reshape", [loss], { shape: [2, 1] })[0] as Value
    }
    const wrong = { ...learner, task: { ...learner.task, perSampleLoss: column } }
    expect(() => buildTraining(wrong, 2)).toThrow(/target loss of shape \[2, 1\] in place of \[2\]/)
  })

  test.each([
    ["joint", "learning-loss", "by-strategy"],
    ["detached", "learning-loss", "detached"],
    ["detached with statistics of each scale", "learning-loss-outputs", "by-strategy"],
  ] as const)("trains the loss module %s", async (how, strategy, training) => {
    const moves = async (learner: Learner, names: readonly string[]) => {
      const spec = buildTraining(learner, 2)
      const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
      const parameters = initializeParameters(spec.network.specs, createRng("detector"))
      await step.load({ parameters, optimizer: new Map() })
      const images = createRng("images")
      const pixels = Float32Array.from({ length: 2 * 3 * 96 * 96 }, () => images.normal())
      const feeds = {
        images: { dtype: "float32", shape: [2, 3, 96, 96], data: pixels } as const,
        ...learner.task.encodeTargets(targets),
      }
      const report = await step.run(feeds, 0)
      const after = (await step.state()).parameters
      await step.release()
      return { report, after: names.map((name) => Array.from(after.get(name)?.data as Float32Array)) }
    }
    const names = ["stem.0.weight"]
    const plain = await moves(await learnerOf("random"), names)
    const { report, after } = await moves(await learnerOf(strategy, training), names)
    expect(report.observed["loss prediction"]?.[0]).toBeGreaterThan(0)
    expect(report.observed["target loss"]?.[0]).toBeCloseTo(plain.report.loss, 5)
    // Only a joint module's gradient reaches the network.
    if (how === "joint") expect(after).not.toEqual(plain.after)
    else expect(after).toEqual(plain.after)
  })
})
