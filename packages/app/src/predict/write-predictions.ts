import type { Answer, ImagePrediction, NetworkFile } from "@learnloss/learn"
import { formatCount, formatPercent, plural } from "../report/format.ts"
import type { People } from "./people-file.ts"
import { isOfPeople, linesOf, peopleCoco, personJson, toHundredths } from "./write-people.ts"

/** How predictions are written. */
export const predictionFormats = ["text", "json", "coco"] as const
export type PredictionFormat = (typeof predictionFormats)[number]

/** Predictions of a network, of which those below a threshold are left out. */
export interface Predictions {
  readonly network: Pick<NetworkFile, "where" | "task" | "classNames" | "skeleton">
  readonly images: readonly ImagePrediction[]
  readonly threshold: number
  /** Where the network was told that people are. */
  readonly people?: Pick<People, "of" | "imageIdOf"> | undefined
}

/** Formats that what a task finds is written in. */
export const formatsOf = {
  classification: ["text", "json"],
  detection: predictionFormats,
  pose: predictionFormats,
} as const satisfies Record<NetworkFile["task"], readonly PredictionFormat[]>

/** Writes predictions, ending with a newline. `coco` holds detections and people alone. */
export const predictionWriters = {
  text: textOf,
  json: (predictions) => `${JSON.stringify(jsonOf(predictions), null, 2)}\n`,
  // Made for programs, and several times as long with a line for each number.
  coco: (predictions) =>
    `${JSON.stringify(predictions.network.task === "pose" ? peopleCoco(predictions) : cocoOf(predictions))}\n`,
} as const satisfies Record<PredictionFormat, (predictions: Predictions) => string>

/** A class with its probability, or an object with its box in pixels of the image. */
export interface NamedPrediction {
  readonly class: string
  readonly score: number
  readonly box?: readonly [x1: number, y1: number, x2: number, y2: number]
}

/** What is predicted of an image at or above the threshold, highest score first; people are no classes. */
export function namedPredictions(
  { answer }: { readonly answer: Answer },
  { network, threshold }: Omit<Predictions, "images">,
): NamedPrediction[] {
  const nameOf = (index: number) => network.classNames[index] ?? String(index)
  if (isOfPeople(answer)) return []
  const all: NamedPrediction[] =
    answer.task === "classification"
      ? answer.probabilities.map((score, index) => ({ class: nameOf(index), score }))
      : answer.detections.map(({ classIndex, score, box }) => ({ class: nameOf(classIndex), score, box }))
  return all.filter(({ score }) => score >= threshold).sort((a, b) => b.score - a.score)
}

function jsonOf(predictions: Predictions) {
  const { network, images, threshold } = predictions
  return {
    network: network.where,
    task: network.task,
    classes: network.classNames,
    threshold,
    images: images.flatMap((image) =>
      "unreadable" in image
        ? []
        : {
            path: image.path,
            ...image.size,
            ...(image.answer.predictedLoss === null ? {} : { predictedLoss: image.answer.predictedLoss }),
            predictions: isOfPeople(image.answer)
              ? image.answer.people.map((person) => personJson(person, predictions))
              : namedPredictions(image, predictions).map(({ box, ...rest }) => ({
                  ...rest,
                  ...(box === undefined ? {} : { box: box.map(toHundredths) }),
                })),
          },
    ),
    unreadable: images.flatMap((image) =>
      "unreadable" in image ? { path: image.path, reason: image.unreadable } : [],
    ),
  }
}

/** A COCO file whose annotations have scores, as labelling tools take predictions in. */
function cocoOf(predictions: Predictions) {
  const { network, images } = predictions
  const categoryOf = new Map(network.classNames.map((name, index) => [name, index + 1]))
  const readable = images.flatMap((image) => ("unreadable" in image ? [] : image))
  const annotations = readable.flatMap((image, index) =>
    namedPredictions(image, predictions).flatMap(({ class: name, score, box }) => {
      if (box === undefined) return []
      const [x1, y1, x2, y2] = box
      const bbox = [x1, y1, x2 - x1, y2 - y1].map(toHundredths)
      const area = toHundredths((x2 - x1) * (y2 - y1))
      return { image_id: index + 1, category_id: categoryOf.get(name), bbox, area, iscrowd: 0, score }
    }),
  )
  return {
    images: readable.map(({ path, size }, index) => ({ id: index + 1, file_name: path, ...size })),
    categories: network.classNames.map((name, index) => ({ id: index + 1, name })),
    annotations: annotations.map((annotation, index) => ({ id: index + 1, ...annotation })),
  }
}

/** Classes that text names of an image. */
const shownClasses = 3

/** Says how near the best of what was left out came, so that nobody takes a shy network for a broken one. */
function nothingFound(image: Extract<ImagePrediction, { answer: unknown }>, { network }: Predictions): string {
  const [best] = namedPredictions(image, { network, threshold: 0 })
  if (best === undefined) return "no objects"
  return `no objects (the best below the threshold: ${best.class} ${formatPercent(best.score)})`
}

function textOf(predictions: Predictions): string {
  const { images, network } = predictions
  const lines = images.flatMap((image) => {
    if ("unreadable" in image) return []
    if (isOfPeople(image.answer)) {
      const { people } = image.answer
      const count = people.length === 1 ? "1 person" : `${formatCount(people.length)} people`
      return [`${image.path}: ${count}`, ...linesOf(people, predictions)]
    }
    const named = namedPredictions(image, predictions)
    if (network.task === "classification") {
      const shown = named.slice(0, shownClasses).map(({ class: name, score }) => `${name} ${formatPercent(score)}`)
      return `${image.path}: ${shown.join(", ") || "no class is that probable"}`
    }
    const found = named.map(({ class: name, score, box = [] }) => {
      const corners = box.map((corner) => corner.toFixed(0)).join(", ")
      return `  ${formatPercent(score).padStart(6)}  ${name}  [${corners}]`
    })
    return [
      `${image.path}: ${named.length === 0 ? nothingFound(image, predictions) : plural(named.length, "object")}`,
      ...found,
    ]
  })
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`
}
