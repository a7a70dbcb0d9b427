import type { FoundObjects } from "@learnloss/contract"
import {
  type DecodedPicture,
  type DetectionTarget,
  decodePicture,
  type PersonTarget,
  type PictureDataset,
  type PictureSet,
  preparePose,
  type Skeleton,
  scaleTarget,
} from "@learnloss/learn"
import { detectedBoxes, labeledBoxes } from "../drawing/drawn-boxes.ts"
import { foundSkeleton, labelledSkeleton } from "../drawing/drawn-skeletons.ts"
import type { SheetCell } from "../drawing/picture-sheet.ts"
import { plural } from "./format.ts"
import { shownScore } from "./shown-score.ts"

/** What is drawn over a sample's picture, and what it amounts to in words. */
export type Drawn = Omit<SheetCell, "caption"> & { readonly count: string }

/** A sample as a report shows it. */
export interface ShownSample {
  /** What a person marked. */
  readonly marked: Drawn
  /** What a network found. */
  found(objects: FoundObjects["objects"]): Drawn
}

/** A part of a data set of pictures. */
export type Part = "train" | "test"

/**
 * Makes a sample of pictures ready for a report: an image with its boxes, or the square around a person with the joints.
 *
 * @param side longest side at which it will be drawn, in pixels
 * @throws LearnlossError `BAD_IMAGE`
 */
export async function showSample(
  // biome-ignore lint/suspicious/noExplicitAny: which targets they are the skeleton tells
  { skeleton, classNames, ...data }: PictureDataset<any>,
  part: Part,
  position: number,
  side: number,
): Promise<ShownSample> {
  return skeleton === undefined
    ? await showObjects(data[part], position, { side, classNames })
    : await showPerson(data[part], position, { side, skeleton })
}

async function showObjects(
  { picture: pictureAt, targets }: PictureSet<DetectionTarget>,
  position: number,
  { side, classNames }: { readonly side: number; readonly classNames: readonly string[] },
): Promise<ShownSample> {
  const picture = await open(pictureAt(position), 2 * side)
  const target = targets[position] as DetectionTarget
  const boxes = labeledBoxes(scaleTarget(target, picture.width, picture.height), classNames)
  return {
    marked: { picture, boxes, count: `${boxes.length} marked` },
    found(objects) {
      const [across, down] = [picture.width / target.width, picture.height / target.height]
      const sure = objects
        .filter(({ score }) => score >= shownScore)
        .map(({ box: [x1, y1, x2, y2], ...object }) => ({
          ...object,
          box: [x1 * across, y1 * down, x2 * across, y2 * down] as const,
        }))
      return { picture, boxes: detectedBoxes(sure, classNames), count: `${sure.length} found` }
    },
  }
}

/** A square is drawn from at least so many pixels, so that bones are not wider than limbs. */
const leastSide = 64

async function showPerson(
  { picture: pictureAt, targets }: PictureSet<PersonTarget>,
  position: number,
  { side, skeleton }: { readonly side: number; readonly skeleton: Skeleton },
): Promise<ShownSample> {
  const source = pictureAt(position)
  const person = targets[position] as PersonTarget
  const { crop } = person
  const length = Math.max(leastSide, Math.min(2 * side, Math.round(crop.side)))
  const prepared = await preparePose({
    picture: await open(source, Number.POSITIVE_INFINITY),
    name: typeof source === "string" ? source : "a picture in memory",
    target: person,
    change: null,
    size: { width: length, height: length },
    fill: outside,
  })
  const picture = { width: length, height: length, pixels: prepared.pixels }
  const marked = prepared.target.joints.filter(({ visibility }) => visibility > 0).length
  return {
    marked: {
      picture,
      boxes: [],
      skeletons: [labelledSkeleton(prepared.target, skeleton)],
      count: `${plural(marked, "joint")} marked`,
    },
    found(objects) {
      const people = objects.map(({ joints = [] }) =>
        foundSkeleton(
          joints.map(([x, y, score]) => ({
            x: ((x - crop.center[0]) / crop.side + 0.5) * length,
            y: ((y - crop.center[1]) / crop.side + 0.5) * length,
            score,
          })),
          skeleton,
        ),
      )
      const [best] = objects
      const count = best === undefined ? "nobody" : `mean score ${best.score.toFixed(2)}`
      return { picture, boxes: [], skeletons: people, count }
    },
  }
}

/** What lies around an image. */
const outside = [232, 236, 240] as const

async function open(source: ReturnType<PictureSet<unknown>["picture"]>, longestSide: number): Promise<DecodedPicture> {
  if (typeof source === "string") return await decodePicture(source, longestSide)
  return { ...source, fileWidth: source.width, fileHeight: source.height }
}
