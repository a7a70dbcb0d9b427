import type { RunConfig } from "@learnloss/contract"
import { LearnlossError, type Rng } from "@learnloss/engine"
import type { DetectionTarget } from "../boxes.ts"
import {
  type AnyDataset,
  type Dataset,
  isPictures,
  type Picture,
  type PictureDataset,
  type SplitName,
} from "../dataset.ts"
import { normalizationTable } from "../normalization.ts"
import type { PersonTarget } from "../people.ts"
import { augmentInto } from "../transforms.ts"
import { decodePicture } from "./decode-picture.ts"
import { meanColour } from "./picture-workers.ts"
import { renderInput } from "./prepare-picture.ts"
import { scaleTarget } from "./ssd-augmentation.ts"
import { scalePerson } from "./transform-person.ts"

/** A sample for a person to look at. */
export interface SamplePicture {
  readonly id: string
  readonly picture: Picture
  readonly shows: ShownLabel
}

/** What a person said of a sample, in pixels of the picture that is shown of it. */
export type ShownLabel =
  | { readonly kind: "class"; readonly className: string }
  | { readonly kind: "boxes"; readonly target: DetectionTarget }
  /** With all others who were marked in the same whole picture. */
  | { readonly kind: "person"; readonly target: PersonTarget; readonly others: readonly PersonTarget[] }

/** A file that cannot be read, and why. */
interface Unreadable {
  readonly path: string
  readonly reason: string
}

/** Samples that were drawn, and the files of those whose picture cannot be read. */
export interface DrawnSamples {
  readonly split: SplitName
  readonly samples: readonly SamplePicture[]
  readonly unreadable: readonly Unreadable[]
}

export interface SampleOptions {
  readonly count: number
  readonly rng: Rng
  /** Shows pictures as training sees them, randomly changed and as large as the network's input; null as they are. */
  readonly changes: RunConfig["augment"] | null
  /** Longest side of pictures that are shown as they are, in pixels. */
  readonly longestSide: number
}

const unchanged = { crop: 0, flip: false } as const

/**
 * Draws samples of the training split, or of the test split where there is none, at random and gives their pictures, as they are or as training changes them. The
 * same stream gives the same samples, and each of them changes alike however many there are.
 */
export async function samplePictures(given: AnyDataset, options: SampleOptions): Promise<DrawnSamples> {
  const split = given.train.ids.length > 0 ? "train" : "test"
  const dataset = { ...given, train: given[split] } as AnyDataset
  const { ids } = dataset.train
  const positions = options.rng.child("samples").permutation(ids.length).slice(0, options.count)
  const attempts: readonly (SamplePicture | Unreadable)[] = await Promise.all(
    positions.map(async (position) => {
      const id = ids[position] as string
      const rng = options.rng.child(`changes/${id}`)
      if (!isPictures(dataset)) return { id, ...imageOf(dataset, position, options, rng) }
      try {
        return { id, ...(await pictureOf(dataset, position, options, rng)) }
      } catch (error) {
        const path = dataset.train.picture(position)
        if (!(error instanceof LearnlossError) || typeof path !== "string") throw error
        return { path, reason: `expected ${error.details.expected}, got ${error.details.got}` }
      }
    }),
  )
  return {
    split,
    samples: attempts.filter((attempt) => "picture" in attempt),
    unreadable: attempts.filter((attempt) => "reason" in attempt),
  }
}

async function pictureOf(
  { imageShape, normalization, skeleton, train }: PictureDataset<DetectionTarget | PersonTarget>,
  position: number,
  { changes, longestSide }: SampleOptions,
  rng: Rng,
): Promise<Omit<SamplePicture, "id">> {
  const source = train.picture(position)
  const target = train.targets[position] as DetectionTarget | PersonTarget
  if (changes !== null) {
    const task = isPerson(target) ? "pose" : "detection"
    const settings = { task, imageShape, fill: meanColour(normalization), skeleton, cacheBytes: 0 } as const
    const change = { augmentation: changes, rngPath: rng.path }
    const { pixels, target: changed } = await renderInput({ settings, source, target, change })
    const { width, height } = imageShape
    const shows = isPerson(changed) ? personShown(changed, []) : ({ kind: "boxes", target: changed } as const)
    return { picture: { width, height, pixels }, shows }
  }
  const picture = typeof source === "string" ? await decodePicture(source, longestSide) : source
  const { width, height } = picture
  if (!isPerson(target)) return { picture, shows: { kind: "boxes", target: scaleTarget(target, width, height) } }
  const others = train.targets.filter(
    (other) => isPerson(other) && other.imageId === target.imageId && other !== target,
  )
  const [shown, ...rest] = [target, ...(others as PersonTarget[])].map((person) => scalePerson(person, width, height))
  return { picture, shows: personShown(shown as PersonTarget, rest) }
}

function isPerson(target: DetectionTarget | PersonTarget): target is PersonTarget {
  return "joints" in target
}

function personShown(target: PersonTarget, others: readonly PersonTarget[]): ShownLabel {
  return { kind: "person", target, others }
}

/** Planes of an image, changed as training changes them, as an interleaved picture. */
function imageOf(
  { imageShape, normalization, classNames, train }: Dataset<number>,
  position: number,
  { changes }: SampleOptions,
  rng: Rng,
): Omit<SamplePicture, "id"> {
  const { channels, height, width } = imageShape
  // What training fills the edges with is the mean once it is normalised: here the mean is added again.
  const mean = normalization.mean.map((value) => value * 255)
  const table = normalizationTable({ mean: normalization.mean, std: normalization.mean.map(() => 1 / 255) })
  const planes = new Float32Array(channels * height * width)
  augmentInto(train.image(position), imageShape, changes ?? unchanged, table, rng, planes, 0)
  const area = height * width
  const pixels = new Uint8Array(area * 3)
  for (let channel = 0; channel < 3; channel++) {
    // Grey images have one channel for all three.
    const from = Math.min(channel, channels - 1)
    for (let pixel = 0; pixel < area; pixel++) {
      pixels[pixel * 3 + channel] = Math.round((planes[from * area + pixel] as number) + (mean[from] as number))
    }
  }
  const target = train.targets[position] as number
  return {
    picture: { width, height, pixels },
    shows: { kind: "class", className: classNames[target] ?? String(target) },
  }
}
