import type { Answer, FoundPerson, ImagePrediction } from "@learnloss/learn"
import { formatLoss, formatPercent } from "../report/format.ts"
import type { Predictions } from "./write-predictions.ts"

/** An image in which a network looked for people. */
export interface ImageWithPeople {
  readonly path: string
  readonly size: { readonly width: number; readonly height: number }
  readonly people: readonly FoundPerson[]
}

/** A joint with its name, in pixels of the image. */
interface NamedJoint {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly score: number
}

/** The images of people among some predictions. */
export function withPeople(images: readonly ImagePrediction[]): ImageWithPeople[] {
  return images.flatMap((image) =>
    "answer" in image && isOfPeople(image.answer)
      ? { path: image.path, size: image.size, people: image.answer.people }
      : [],
  )
}

/** Whether an answer is of people. */
export function isOfPeople(answer: Answer): answer is Extract<Answer, { task: "pose" }> {
  return answer.task === "pose"
}

/** A line for each person, and one for each of their joints at or above the threshold. */
export function linesOf(people: readonly FoundPerson[], predictions: Omit<Predictions, "images">): string[] {
  return people.flatMap((person, index) => [
    `  person ${index + 1} (${formatPercent(person.score)}${lossOf(person)})`,
    ...jointsOf(person, predictions).map(
      ({ name, x, y, score }) => `  ${formatPercent(score).padStart(6)}  ${name}  [${x.toFixed(0)}, ${y.toFixed(0)}]`,
    ),
  ])
}

function lossOf({ predictedLoss }: FoundPerson): string {
  return predictedLoss === null ? "" : `, predicted loss ${formatLoss(predictedLoss)}`
}

/** A person for a program: what the network was shown, and the joints at or above the threshold by name. */
export function personJson(person: FoundPerson, predictions: Omit<Predictions, "images">) {
  const { crop, score, predictedLoss } = person
  return {
    score,
    crop: { center: crop.center.map(toHundredths), side: toHundredths(crop.side) },
    ...(predictedLoss === null ? {} : { predictedLoss }),
    joints: jointsOf(person, predictions).map(({ x, y, ...rest }) => ({
      ...rest,
      x: toHundredths(x),
      y: toHundredths(y),
    })),
  }
}

/**
 * A COCO file with keypoints and scores. Images have the numbers of the file that said where people are, so that its
 * annotations are results for that file; joints below the threshold are no joints.
 */
export function peopleCoco({ network, images, threshold, people }: Predictions) {
  const named = withPeople(images).flatMap((image, index) => {
    const id = people === undefined ? index + 1 : people.imageIdOf(image.path)
    return id === undefined ? [] : { id, ...image }
  })
  const annotations = named.flatMap(({ id, path, size, people: found }) =>
    found.map(({ joints, score, crop }, index) => {
      const [x1, y1, x2, y2] = people?.of(path, size)[index]?.box ?? boxOfCrop(crop, size)
      const keypoints = joints.flatMap((joint) =>
        joint.score < threshold ? [0, 0, 0] : [toHundredths(joint.x), toHundredths(joint.y), 2],
      )
      return {
        image_id: id,
        category_id: 1,
        keypoints,
        num_keypoints: joints.filter((joint) => joint.score >= threshold).length,
        bbox: [x1, y1, x2 - x1, y2 - y1].map(toHundredths),
        area: toHundredths((x2 - x1) * (y2 - y1)),
        iscrowd: 0,
        score,
      }
    }),
  )
  // COCO counts joints from 1 in its bones.
  const skeleton = (network.skeleton?.bones ?? []).map((bone) => bone.map((joint) => joint + 1))
  return {
    images: named.map(({ id, path, size }) => ({ id, file_name: path, ...size })),
    categories: [{ id: 1, name: "person", keypoints: network.classNames, skeleton }],
    annotations: annotations.map((annotation, index) => ({ id: index + 1, ...annotation })),
  }
}

function jointsOf({ joints }: FoundPerson, { network, threshold }: Omit<Predictions, "images">): NamedJoint[] {
  return joints
    .map((joint, index) => ({ name: network.classNames[index] ?? String(index), ...joint }))
    .filter(({ score }) => score >= threshold)
}

/** The part of a crop that lies in the image. */
function boxOfCrop(
  { center: [x, y], side }: FoundPerson["crop"],
  { width, height }: ImageWithPeople["size"],
): readonly [number, number, number, number] {
  const half = side / 2
  return [Math.max(0, x - half), Math.max(0, y - half), Math.min(width, x + half), Math.min(height, y + half)]
}

/** A coordinate to a hundredth of a pixel: finer is noise. */
export function toHundredths(value: number): number {
  return Math.round(value * 100) / 100
}
