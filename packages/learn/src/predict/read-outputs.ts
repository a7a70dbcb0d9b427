import { InternalError, LearnlossError, type Tensor } from "@learnloss/engine"
import type { Detection } from "../data/boxes.ts"
import { predictedLossOutput } from "../export.ts"

/** What a network says of one image. */
export type Answer =
  | {
      readonly task: "classification"
      /** Probability of each class, in their order. */
      readonly probabilities: readonly number[]
      readonly predictedLoss: number | null
    }
  | {
      readonly task: "detection"
      /** Boxes in pixels of the image's file; highest score first. */
      readonly detections: readonly Detection[]
      readonly predictedLoss: number | null
    }

/** Upright size of an image file, in pixels. */
export interface FileSize {
  readonly width: number
  readonly height: number
}

type Outputs = Readonly<Record<string, Tensor>>

/** Reads a file's outputs for a batch of images of the given sizes. */
type OutputsReader = (outputs: Outputs, first: string, sizes: readonly FileSize[]) => Answer[]

/** How the outputs of each task's files are read. */
export const outputReaders = { classification: readClasses, detection: readDetections } as const

export type ReadableTask = keyof typeof outputReaders

export function isOutputsReader(task: string): task is ReadableTask {
  return Object.hasOwn(outputReaders, task)
}

/**
 * What a network says of each image of a batch.
 *
 * @param first name of the file's first output
 * @throws LearnlossError `OUTPUT_NOT_FINITE`
 */
export function readOutputs(
  task: ReadableTask,
  outputs: Outputs,
  first: string,
  sizes: readonly FileSize[],
): readonly Answer[] {
  for (const [name, { dtype, data }] of Object.entries(outputs)) {
    if (dtype === "float32" && !data.every(Number.isFinite)) throw notFinite(name)
  }
  const read: OutputsReader = outputReaders[task]
  return read(outputs, first, sizes)
}

function readClasses(outputs: Outputs, first: string, sizes: readonly FileSize[]): Answer[] {
  const logits = floats(outputs, first)
  const classes = logits.length / sizes.length
  const predictedLoss = lossReader(outputs)
  return sizes.map((_, image) => ({
    task: "classification",
    probabilities: softmax(logits.subarray(image * classes, (image + 1) * classes)),
    predictedLoss: predictedLoss(image),
  }))
}

function readDetections(outputs: Outputs, _: string, sizes: readonly FileSize[]): Answer[] {
  const [boxes, scores] = [floats(outputs, "boxes"), floats(outputs, "scores")]
  const [classes, imageIndex] = [integers(outputs, "classes"), integers(outputs, "imageIndex")]
  const found = sizes.map((): Detection[] => [])
  for (const [index, image] of imageIndex.entries()) {
    const { width, height } = sizes[Number(image)] as FileSize
    const corner = (at: number, length: number) => (boxes[4 * index + at] as number) * length
    found[Number(image)]?.push({
      classIndex: Number(classes[index]),
      score: scores[index] as number,
      box: [corner(0, width), corner(1, height), corner(2, width), corner(3, height)],
    })
  }
  const predictedLoss = lossReader(outputs)
  return found.map((detections, image) => ({ task: "detection", detections, predictedLoss: predictedLoss(image) }))
}

function lossReader(outputs: Outputs): (image: number) => number | null {
  const losses = outputs[predictedLossOutput]
  return (image) => (losses === undefined ? null : Number(losses.data[image]))
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY)
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

function floats(outputs: Outputs, name: string): Float32Array {
  const tensor = outputs[name]
  if (tensor?.dtype === "float32") return tensor.data
  throw new InternalError(`a written network without float32 output ${name}`)
}

function integers(outputs: Outputs, name: string): BigInt64Array {
  const tensor = outputs[name]
  if (tensor?.dtype === "int64") return tensor.data
  throw new InternalError(`a written network without int64 output ${name}`)
}

function notFinite(name: string): LearnlossError {
  return new LearnlossError("OUTPUT_NOT_FINITE", {
    where: `output ${name}`,
    expected: "finite numbers",
    got: "infinite ones, or none at all",
    fix: "The network's weights are broken: export it from an earlier checkpoint, or train it with a lower learning rate.",
  })
}
