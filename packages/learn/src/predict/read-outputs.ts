import { InternalError, LearnlossError, type Tensor } from "@learnloss/engine"
import type { Detection } from "../data/boxes.ts"
import { cropAround, type PersonCrop, placeInImage } from "../data/people.ts"
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
  | {
      readonly task: "pose"
      /** One of each crop that the network was shown. */
      readonly people: readonly FoundPerson[]
      /** Each person has one of their own. */
      readonly predictedLoss: null
    }

/** A person whose joints a network found. */
export interface FoundPerson {
  /** What the network was shown. */
  readonly crop: PersonCrop
  /** In pixels of the image's file, in the order of the network's classes; `score` is the height of the peak, 0..1. */
  readonly joints: readonly { readonly x: number; readonly y: number; readonly score: number }[]
  /** Mean score of the joints. */
  readonly score: number
  readonly predictedLoss: number | null
}

/** Upright size of an image file, in pixels. */
export interface FileSize {
  readonly width: number
  readonly height: number
}

/** What a network was shown of an image file: all of it, or a square. */
export interface View {
  readonly size: FileSize
  readonly crop?: PersonCrop
}

/** The crop of a person who fills an image, as large in it as people are in training. */
export function cropOfWhole({ width, height }: FileSize): PersonCrop {
  return cropAround([0, 0, width, height])
}

type Outputs = Readonly<Record<string, Tensor>>

/** Reads a file's outputs for a batch of views. */
type OutputsReader = (outputs: Outputs, first: string, views: readonly View[]) => Answer[]

/** How the outputs of each task's files are read. */
export const outputReaders = { classification: readClasses, detection: readDetections, pose: readPoses } as const

export type ReadableTask = keyof typeof outputReaders

export function isOutputsReader(task: string): task is ReadableTask {
  return Object.hasOwn(outputReaders, task)
}

/**
 * What a network says of each view of a batch.
 *
 * @param first name of the file's first output
 * @throws LearnlossError `OUTPUT_NOT_FINITE`
 */
export function readOutputs(
  task: ReadableTask,
  outputs: Outputs,
  first: string,
  views: readonly View[],
): readonly Answer[] {
  for (const [name, { dtype, data }] of Object.entries(outputs)) {
    if (dtype === "float32" && !data.every(Number.isFinite)) throw notFinite(name)
  }
  const read: OutputsReader = outputReaders[task]
  return read(outputs, first, views)
}

/** What a network says of an image from what it says of its views: people are put together, all others have one view. */
export function joinAnswers(task: ReadableTask, answers: readonly Answer[]): Answer {
  const [only] = answers
  if (task !== "pose") return only ?? refuse("an image without a view")
  return { task, people: answers.flatMap((answer) => ("people" in answer ? answer.people : [])), predictedLoss: null }
}

function refuse(what: string): never {
  throw new InternalError(what)
}

function readClasses(outputs: Outputs, first: string, views: readonly View[]): Answer[] {
  const logits = floats(outputs, first)
  const classes = logits.length / views.length
  const predictedLoss = lossReader(outputs)
  return views.map((_, image) => ({
    task: "classification",
    probabilities: softmax(logits.subarray(image * classes, (image + 1) * classes)),
    predictedLoss: predictedLoss(image),
  }))
}

function readDetections(outputs: Outputs, _: string, views: readonly View[]): Answer[] {
  const [boxes, scores] = [floats(outputs, "boxes"), floats(outputs, "scores")]
  const [classes, imageIndex] = [integers(outputs, "classes"), integers(outputs, "imageIndex")]
  const found = views.map((): Detection[] => [])
  for (const [index, image] of imageIndex.entries()) {
    const { width, height } = (views[Number(image)] as View).size
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

function readPoses(outputs: Outputs, _: string, views: readonly View[]): Answer[] {
  const [places, scores] = [floats(outputs, "joints"), floats(outputs, "scores")]
  const joints = scores.length / views.length
  const predictedLoss = lossReader(outputs)
  return views.map(({ size, crop = cropOfWhole(size) }, view) => {
    const found = Array.from({ length: joints }, (_, joint) => {
      const at = view * joints + joint
      const place = { x: places[2 * at] as number, y: places[2 * at + 1] as number }
      return { ...placeInImage(place, crop), score: scores[at] as number }
    })
    const score = found.reduce((sum, joint) => sum + joint.score, 0) / joints
    const person = { crop, joints: found, score, predictedLoss: predictedLoss(view) }
    return { task: "pose", people: [person], predictedLoss: null }
  })
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
