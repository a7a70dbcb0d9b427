import type { RunConfig, StrategyName } from "@learnloss/contract"
import {
  type BuiltNetwork,
  createNetworkBuilder,
  exportModel,
  floatTensor,
  Graph,
  type ParameterSpec,
  requireWeightsOf,
  type TensorMap,
} from "@learnloss/engine"
import type { Dataset } from "./data/dataset.ts"
import type { ImportedModel } from "./models/imported/open.ts"
import type { FileInput, Model } from "./models/model.ts"
import { openModel } from "./models/open-model.ts"
import { makeTask } from "./tasks/tasks.ts"
import { buildModule, buildTraining, imagesInput, type Learner } from "./training/learner.ts"
import { strategyTraining } from "./training/strategy-training.ts"

/** What a written network tells of the images that it takes. */
export type ExportedData = Pick<Dataset<unknown>, "imageShape" | "classNames" | "normalization">

/** Name of the output that holds the loss module's predictions. */
const predictedLossOutput = "predictedLoss"

/**
 * Writes a trained network as an ONNX model with its weights inside and a dynamic batch. Its first output is what the
 * task reads (logits [B, classes]); where a loss module was trained, the second is the predicted loss, [B].
 *
 * Images are normalised as the metadata `mean` and `std` say: (pixel / 255 - mean) / std per channel.
 *
 * @throws LearnlossError `EXPORT_OP` for an op of a frozen part that cannot stand in that file, `EXPORT_BATCH` for a network
 * that computes with the size of its batch
 */
export function exportNetwork(learner: Learner, weights: TensorMap, data: ExportedData): Uint8Array {
  const { mean, std } = data.normalization
  return exportModel((batch) => buildWhole(learner, weights, batch), {
    classes: JSON.stringify(data.classNames),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
  })
}

/**
 * Makes sure that a network can be written once it is trained, so that no training is in vain.
 *
 * @throws LearnlossError what `exportNetwork` throws, `EXPORT_OP` for an op of a frozen part among it
 */
export function requireExportable(learner: Learner, specs: readonly ParameterSpec[], data: ExportedData): void {
  exportNetwork(learner, new Map(specs.map(({ name, shape }) => [name, floatTensor(shape)])), data)
}

function buildWhole(learner: Learner, weights: TensorMap, batch: number): BuiltNetwork {
  const { model, imageShape, strategyTraining } = learner
  const { channels, height, width } = imageShape
  const whole = isImported(model) ? model.whole : undefined
  const input: FileInput = whole?.input ?? {
    name: imagesInput,
    layout: "channels-first",
    shape: [channels, height, width],
  }
  const graph = new Graph()
  const fed = graph.input(input.name, "float32", [batch, ...input.shape])
  const b = createNetworkBuilder(graph, weights)
  const built = whole === undefined ? model.build(b, [fed]) : whole.build(b, fed)
  const name = whole?.outputName ?? "output"
  if (strategyTraining.lossModule === "none") return { graph, outputs: { [name]: built.output } }
  const { predictedLoss } = buildModule(learner, b, built, undefined)
  return { graph, outputs: { [name]: built.output, [predictedLossOutput]: predictedLoss } }
}

function isImported(model: Model): model is ImportedModel {
  return "whole" in model
}

export interface TrainedOptions {
  readonly config: RunConfig
  readonly strategy: StrategyName
  /** Of a checkpoint of that strategy. */
  readonly weights: TensorMap
  readonly data: ExportedData
  /** How messages call the checkpoint. */
  readonly where: string
}

/**
 * Writes the network that a strategy trained in a run.
 *
 * @throws LearnlossError `CHECKPOINT_OF_ANOTHER_MODEL`, what opening a network throws, and what `exportNetwork` throws
 */
export async function exportTrained({ config, strategy, weights, data, where }: TrainedOptions): Promise<Uint8Array> {
  const { imageShape, classNames } = data
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  const task = makeTask(config.task, { data, model, config })
  const learner: Learner = { model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
  requireWeightsOf(buildTraining(learner, config.training.batch).network.specs, weights, where)
  return exportNetwork(learner, weights, data)
}
