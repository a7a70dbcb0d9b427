import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type ModelName, type ObjectiveName, runConfigSchema } from "@learnloss/contract"
import {
  compileEvaluation,
  compileTrainStep,
  fixedPlan,
  gradients,
  readSafetensors,
  sizeOf,
  type Tensor,
  type TensorMap,
  type Value,
} from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { describe, expect, test } from "vitest"
import type { ImageShape } from "../data/dataset.ts"
import { models } from "../models/models.ts"
import { classification } from "../tasks/classification.ts"
import { buildEvaluation, buildTraining, imagesInput, type Learner, observedNames } from "./learner.ts"

/** What `fixtures/make-classification.py` writes. */
interface Fixture {
  readonly tensors: string
  readonly inputs: string
  readonly network: {
    readonly name: ModelName
    readonly width: number
    readonly classes: number
    readonly imageShape: ImageShape
  }
  readonly lossModule: {
    readonly training: "joint" | "detached"
    readonly objective: ObjectiveName
    readonly readsOutputs: boolean
    readonly width: number
    readonly margin: number
    readonly weight: number
    readonly stopGradientFromStep: number | null
  }
  readonly training: {
    readonly steps: number
    readonly batch: number
    readonly momentum: number
    readonly weightDecay: number
    readonly milestones: readonly number[]
    readonly gamma: number
    readonly learningRate: number
  }
  readonly steps: readonly {
    readonly loss: number
    readonly targetLoss: number
    readonly moduleLoss: number
    readonly learningRate: number
  }[]
}

const folder = new URL("../../../../fixtures/classification/", import.meta.url).pathname

function learnerOf({ network, lossModule, training }: Fixture): Learner {
  const { training: module, objective, readsOutputs, stopGradientFromStep, ...settings } = lossModule
  const { batch, steps, learningRate, momentum, weightDecay, milestones, gamma } = training
  return {
    model: models[network.name]({ width: network.width, classes: network.classes, imageShape: network.imageShape }),
    task: classification(Array.from({ length: network.classes }, (_, index) => `class ${index}`)),
    imageShape: network.imageShape,
    strategyTraining: { lossModule: module, objective, readsOutputs },
    config: {
      lossModule: runConfigSchema.shape.lossModule.parse({
        ...settings,
        stopGradientAt: stopGradientFromStep ?? "100%",
      }),
      training: runConfigSchema.shape.training.parse({
        steps,
        batch,
        learningRate,
        momentum,
        weightDecay,
        schedule: { kind: "step", milestones, gamma },
      }),
    },
  }
}

function part(tensors: TensorMap, prefix: string): TensorMap {
  return new Map(
    [...tensors].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])),
  )
}

/** Item `index` of the first axis. */
function item(tensor: Tensor, index: number): Tensor {
  const shape = tensor.shape.slice(1)
  const length = sizeOf(shape)
  return { ...tensor, shape, data: tensor.data.slice(index * length, (index + 1) * length) } as Tensor
}

const numbers = (tensor: Tensor | undefined) => tensor?.data as Float32Array

describe.each(["resnet18-joint", "cnn4-joint", "cnn4-mse", "cnn4-outputs", "cnn4-stopped"])(
  "%s beside PyTorch",
  (name) => {
    const fixture: Fixture = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))
    const tensors = readSafetensors(join(folder, fixture.tensors))
    const inputs = readSafetensors(join(folder, fixture.inputs))
    const learner = learnerOf(fixture)
    const { batch, steps } = fixture.training
    const initial = part(tensors, "initial/")

    test("has the loss, every gradient, ten steps and the evaluation after them", async () => {
      const spec = buildTraining(learner, batch)
      expect(new Set(spec.network.specs.map((each) => each.name))).toEqual(new Set(initial.keys()))
      const trained = spec.network.specs.filter(({ kind }) => kind === "parameter").map((each) => each.name)
      const values = gradients(
        spec.graph,
        spec.loss,
        trained.map((each) => spec.network.values.get(each) as Value),
      )
      const observed = {
        ...spec.observed,
        ...Object.fromEntries(trained.map((each, index) => [`gradient/${each}`, values[index] as Value])),
      }
      const step = await compileTrainStep({ ...spec, observed }, fixedPlan, { threads: 1 })
      await step.load({ parameters: initial, optimizer: new Map() })
      for (const [index, expected] of fixture.steps.entries()) {
        const feeds = { [imagesInput]: item(inputs.get("images")!, index), labels: item(inputs.get("labels")!, index) }
        const result = await step.run(feeds, index / steps)
        expect(relativeDifference([result.loss], [expected.loss]), `loss of step ${index}`).toBeLessThan(
          index === 0 ? 1e-4 : 1e-3,
        )
        expect(relativeDifference(result.observed[observedNames.targetLoss]!, [expected.targetLoss])).toBeLessThan(1e-3)
        expect(relativeDifference(result.observed[observedNames.lossPrediction]!, [expected.moduleLoss])).toBeLessThan(
          1e-3,
        )
        expect(result.learningRate).toBeCloseTo(expected.learningRate, 7)
        if (index > 0) continue
        for (const each of trained) {
          const difference = relativeDifference(
            result.observed[`gradient/${each}`]!,
            numbers(tensors.get(`gradient/${each}`)),
          )
          expect(difference, `gradient of ${each}`).toBeLessThan(1e-4)
        }
      }
      const { parameters } = await step.state()
      await step.release()
      for (const [buffer, expected] of part(tensors, "final/")) {
        if (!buffer.includes(".running_")) continue
        expect(relativeDifference(numbers(parameters.get(buffer)), numbers(expected)), buffer).toBeLessThan(1e-3)
      }
      const evaluation = buildEvaluation(learner, batch, parameters, ["output", "predictedLoss", "embedding"])
      const session = await compileEvaluation(evaluation.graph, evaluation.outputs, { threads: 1 })
      const outcome = await session.run({ [imagesInput]: inputs.get("evaluation/images")! })
      await session.release()
      for (const [ours, theirs] of [
        ["output", "logits"],
        ["predictedLoss", "predictedLoss"],
        ["embedding", "embedding"],
      ] as const) {
        expect(
          relativeDifference(numbers(outcome[ours]), numbers(tensors.get(`evaluation/${theirs}`))),
          ours,
        ).toBeLessThan(1e-3)
      }
    })
  },
)
