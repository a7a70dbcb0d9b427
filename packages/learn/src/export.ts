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
import type { PictureDataset } from "./data/dataset.ts"
import type { ImportedModel } from "./models/imported/open.ts"
import type { FileInput } from "./models/model.ts"
import { openModel } from "./models/open-model.ts"
import { type ImageKind, imagesOf, makeTask } from "./tasks/tasks.ts"
import { buildModule, buildTraining, imagesInput, type Learner } from "./training/learner.ts"
import { strategyTraining } from "./training/strategy-training.ts"

/** What a written network tells of the images that it takes. */
export type ExportedData = Pick<PictureDataset<unknown>, "imageShape" | "classNames" | "normalization" | "skeleton">

/** How images are brought to a network that a file holds; JSON in its metadata. */
export interface ImageInput {
  readonly channels: number
  /** In pixels. */
  readonly height: number
  readonly width: number
  /** How the values of an image follow one another; `flat` is `channels-first` in one row. */
  readonly layout: FileInput["layout"]
  /**
   * `cover` fills the input and cuts off what stands out, `stretch` changes the proportions; `square crop` shows a person in
   * a square that may stand out over the image's edges, the mean colour outside.
   */
  readonly fit: "cover" | "stretch" | "square crop"
}

const imageFits = {
  "in memory": "cover",
  pictures: "stretch",
  people: "square crop",
} as const satisfies Record<ImageKind, ImageInput["fit"]>

/** Name of the output that holds the loss module's predictions. */
export const predictedLossOutput = "predictedLoss"

/**
 * Writes a trained network as an ONNX model with its weights inside and a dynamic batch. Its first outputs are what the
 * task gives: logits [B, classes], the detections that decoding and suppression inside the file leave, or the joints of a
 * person where the heat-maps are highest. Where a loss module was trained, the last is the predicted loss, [B].
 *
 * Images are normalised as the metadata `mean` and `std` say: (pixel / 255 - mean) / std per channel. `task`, `classes` and
 * `images` (see `ImageInput`) tell the rest that a program needs to feed the file and to name what it gives; `skeleton` says
 * which joints bones join, and which are left and right (`bones`, `pairs`).
 *
 * @throws LearnlossError `EXPORT_OP` for an op of a frozen part that cannot stand in that file, `EXPORT_BATCH` for a network
 * that computes with the size of its batch
 */
export function exportNetwork(learner: Learner, weights: TensorMap, data: ExportedData): Uint8Array {
  const { mean, std } = data.normalization
  const { channels, height, width } = learner.imageShape
  const layout = wholeOf(learner)?.input.layout ?? "channels-first"
  const images: ImageInput = { channels, height, width, layout, fit: imageFits[imagesOf[learner.task.name]] }
  return exportModel((batch) => buildWhole(learner, weights, batch), {
    task: learner.task.name,
    images: JSON.stringify(images),
    classes: JSON.stringify(data.classNames),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    ...(data.skeleton && { skeleton: JSON.stringify({ bones: data.skeleton.bones, pairs: data.skeleton.pairs }) }),
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
  const { model, task, imageShape, strategyTraining } = learner
  const { channels, height, width } = imageShape
  const whole = wholeOf(learner)
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
  const { outputs, tail } = task.fileEnding?.(built.output) ?? { outputs: { [name]: built.output } }
  if (strategyTraining.lossModule === "none") return { graph, outputs, tail }
  const { predictedLoss } = buildModule(learner, b, built, undefined)
  return { graph, outputs: { ...outputs, [predictedLossOutput]: predictedLoss }, tail }
}

/** The network of a user's file that a learner trains; undefined for networks of our own. */
function wholeOf({ model }: Learner): ImportedModel["whole"] | undefined {
  return "whole" in model ? (model as ImportedModel).whole : undefined
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
