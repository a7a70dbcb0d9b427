import type { OptimizerName, RunConfig } from "@learnloss/contract"
import {
  constantSchedule,
  cosineSchedule,
  createNetworkBuilder,
  Graph,
  InternalError,
  type NetworkBuilder,
  type Optimizer,
  op,
  type ParameterSource,
  rmsprop,
  type Schedule,
  sgd,
  stepSchedule,
  type TrainingSpec,
  type Value,
} from "@learnloss/engine"
import type { ImageShape } from "../data/dataset.ts"
import { type LossModuleOptions, type LossModuleOutput, lossModule } from "../loss-prediction/module.ts"
import { objectives } from "../loss-prediction/objectives.ts"
import type { Model, ModelOutput } from "../models/model.ts"
import type { StrategyTraining } from "../strategies/strategy.ts"
import { mirrorImages } from "../tasks/mirror-images.ts"
import type { Task } from "../tasks/task.ts"
import { shareOfTraining } from "./moments.ts"

/** Everything that decides what is trained, apart from data and weights. */
export interface Learner {
  readonly model: Model
  // biome-ignore lint/suspicious/noExplicitAny: a learner never looks into targets, only its task does
  readonly task: Task<any, any>
  readonly imageShape: ImageShape
  readonly strategyTraining: StrategyTraining
  readonly config: Pick<RunConfig, "training" | "lossModule">
}

export const imagesInput = "images"
const progressInput = "progress"

/** Per-sample and mean values that a training step reports. */
export const observedNames = { targetLoss: "target loss", lossPrediction: "loss prediction" } as const

interface Built {
  readonly b: ReturnType<typeof createNetworkBuilder>
  readonly output: ModelOutput
}

/** @param isMirrored whether the network is also given the mirror image of every image, after the images */
function buildModel({ model, imageShape }: Learner, batch: number, source: ParameterSource, isMirrored = false): Built {
  const graph = new Graph()
  const { channels, height, width } = imageShape
  const fed = model.frozen?.outputs ?? [{ name: imagesInput, shape: [channels, height, width] }]
  const inputs = fed.map(({ name, shape }) => graph.input(name, "float32", [batch, ...shape]))
  const b = createNetworkBuilder(graph, source)
  const images = isMirrored ? inputs.map((each) => op.concat([each, mirrorImages(each)], 0)) : inputs
  return { b, output: model.build(b, images as [Value, ...Value[]]) }
}

/** Parameters of the module stand under this name beside the network's. */
export function buildModule(
  learner: Learner,
  b: NetworkBuilder,
  { taps, output }: ModelOutput,
  factor: Value | undefined,
  memory?: LossModuleOptions["memory"],
): LossModuleOutput {
  const { lossModule: settings } = learner.config
  const { readsOutputs } = learner.strategyTraining
  return lossModule(b.scope("lossModule"), taps, {
    width: settings.width,
    gradient: factor === undefined ? { kind: "stopped" } : { kind: "scaled", factor },
    ...(readsOutputs ? { outputStatistics: learner.task.outputStatistics(op.stopGradient(output)) } : {}),
    ...(memory && { memory }),
  })
}

/** The training graph: mean target loss, plus the module's loss where one is trained. */
export function buildTraining(learner: Learner, batch: number): TrainingSpec {
  const { config, task, strategyTraining } = learner
  const { b, output } = buildModel(learner, batch, "inputs")
  const { graph } = b
  const targets = Object.fromEntries(
    task.targetInputs.map(({ name, dtype, shape }) => [name, graph.input(name, dtype, [batch, ...shape])]),
  )
  const progress = graph.input(progressInput, "float32", [])
  const targetLoss = task.perSampleLoss(output.output, targets)
  requirePerSample("target loss", targetLoss, batch)
  const meanLoss = op.reduceMean(targetLoss)
  const observed: Record<string, Value> = { [observedNames.targetLoss]: meanLoss }
  let loss = meanLoss
  if (strategyTraining.lossModule !== "none") {
    const stopAt = shareOfTraining(config.lossModule.stopGradientAt, config.training)
    const factor = strategyTraining.lossModule === "joint" ? op.where(op.less(progress, stopAt), 1, 0) : undefined
    const objective = objectives[strategyTraining.objective]
    const { memory: size } = config.lossModule
    const memory = objective.ranksPairs && size > 0 ? { size, targetLoss } : undefined
    const { predictedLoss, remembered } = buildModule(learner, b, output, factor, memory)
    requirePerSample("predicted loss", predictedLoss, batch)
    const lossPrediction = objective.loss(predictedLoss, targetLoss, config.lossModule, remembered)
    observed[observedNames.lossPrediction] = lossPrediction
    loss = op.add(meanLoss, op.mul(lossPrediction, config.lossModule.weight))
  }
  return {
    graph,
    network: b,
    loss,
    progress,
    observed,
    optimizer: optimizers[config.training.optimizer](config.training),
    learningRate: config.training.learningRate,
    schedule: scheduleOf(config.training),
  }
}

const optimizers = { sgd, rmsprop } as const satisfies Record<
  OptimizerName,
  (training: RunConfig["training"]) => Optimizer
>

/** A loss of [B, 1] beside one of [B] would be compared with every other, without an error. */
function requirePerSample(what: string, { shape }: Value, batch: number): void {
  if (shape.length === 1 && shape[0] === batch) return
  throw new InternalError(`${what} of shape [${shape.join(", ")}] in place of [${batch}]`)
}

function scheduleOf(training: RunConfig["training"]): Schedule {
  const { schedule } = training
  switch (schedule.kind) {
    case "constant":
      return constantSchedule
    case "cosine":
      return cosineSchedule
    case "step":
      return stepSchedule(
        schedule.milestones.map((moment) => shareOfTraining(moment, training)),
        schedule.gamma,
      )
  }
}

/** Values that an evaluation graph can compute for a batch. */
export const evaluatedNames = [
  "output",
  "prediction",
  "uncertainty",
  "unconfidence",
  "embedding",
  "predictedLoss",
  "targetLoss",
] as const
export type EvaluatedName = (typeof evaluatedNames)[number]

/** How many images the network sees for each sample: its mirror image too where both make one prediction. */
export function viewsOf({ task }: Learner, wanted: readonly EvaluatedName[]): 1 | 2 {
  return task.flipTest !== undefined && wanted.includes("prediction") ? 2 : 1
}

/** The graph that computes just the named values, with the given weights inside. */
export function buildEvaluation(
  learner: Learner,
  batch: number,
  weights: ParameterSource,
  wanted: readonly EvaluatedName[],
) {
  const { task } = learner
  const isMirrored = viewsOf(learner, wanted) === 2
  const { b, output: ofViews } = buildModel(learner, batch, weights, isMirrored)
  const ofImages = (value: Value): Value => (isMirrored ? op.slice(value, 0, 0, batch) : value)
  const output: ModelOutput = {
    output: ofImages(ofViews.output),
    taps: ofViews.taps.map(ofImages),
    embedding: ofImages(ofViews.embedding),
  }
  const targets = () =>
    Object.fromEntries(
      task.targetInputs.map(({ name, dtype, shape }) => [name, b.graph.input(name, dtype, [batch, ...shape])]),
    )
  const make = {
    output: () => output.output,
    prediction: () => {
      const found = task.predictionOutput(output.output)
      if (task.flipTest === undefined) return found
      return task.flipTest(found, task.predictionOutput(op.slice(ofViews.output, 0, batch, 2 * batch)))
    },
    uncertainty: () => task.uncertainty(output.output),
    unconfidence: () => task.unconfidence(output.output),
    embedding: () => output.embedding,
    predictedLoss: () => buildModule(learner, b, output, undefined).predictedLoss,
    targetLoss: () => task.perSampleLoss(output.output, targets()),
  } as const satisfies Record<EvaluatedName, () => Value>
  return { graph: b.graph, network: b, outputs: Object.fromEntries(wanted.map((name) => [name, make[name]()])) }
}
