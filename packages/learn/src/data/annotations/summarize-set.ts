import type { TaskName } from "@learnloss/contract"
import { type DetectionTarget, singleObjects } from "../boxes.ts"
import type { DetectionDataset, PictureDataset, PoseDataset } from "../dataset.ts"
import type { PersonTarget } from "../people.ts"
import type { AnnotatedImage, AnnotationFormat } from "./annotated-set.ts"
import { usableObjects } from "./check-objects.ts"
import { usablePeople } from "./check-people.ts"
import type { AnnotationDefect, DefectKind } from "./defects.ts"
import { isLabelled } from "./joints.ts"
import { type OpenAnnotationsOptions, type OpenedAnnotations, openAnnotations } from "./open-annotations.ts"
import { arePeople, peopleOf } from "./pose-dataset.ts"

/** What a split holds that can be used. */
export interface SplitCounts {
  readonly name: string
  readonly images: number
  readonly imagesWithoutBoxes: number
  /** Boxes by class, in the order of the classes. */
  readonly boxes: readonly number[]
}

/** What a split holds of people that can be used. */
export interface PeopleCounts {
  readonly name: string
  readonly images: number
  readonly imagesWithoutPeople: number
  readonly people: number
  /** People with a box. */
  readonly boxes: number
  /** Labelled joints, in the order of the skeleton. */
  readonly joints: readonly number[]
}

interface Summary<Counts> {
  readonly data: string
  readonly splits: readonly Counts[]
  /** What is trained and tested on when nothing else is said, for people. */
  readonly uses: { readonly train: string; readonly test: string }
  /** Of the images that can be used, in pixels: the smallest and the largest width and height. */
  readonly sizes: { readonly width: readonly [number, number]; readonly height: readonly [number, number] }
  readonly defects: readonly AnnotationDefect[]
  readonly defectCounts: Readonly<Partial<Record<DefectKind, number>>>
}

/** What there is in images with boxes. */
export interface DetectionSummary extends Summary<SplitCounts> {
  readonly classNames: readonly string[]
}

/** What there is in images of people. */
export interface PoseSummary extends Summary<PeopleCounts> {
  readonly jointNames: readonly string[]
}

export interface SummarizeOptions extends Omit<OpenAnnotationsOptions, "wantsJoints"> {
  /** What to count; default people where the objects have joints, else boxes. */
  readonly task?: TaskName | undefined
}

/**
 * Reads annotated images from end to end and counts what can be used of them; the pixels are decoded too with `decodes`.
 *
 * @throws LearnlossError when they cannot be used at all, after every defect was told
 */
export async function summarizeAnnotations(
  format: AnnotationFormat,
  text: string | undefined,
  { task, ...options }: SummarizeOptions,
): Promise<DetectionSummary | PoseSummary> {
  const opened = await openAnnotations(format, text, { ...options, wantsJoints: task === "pose" })
  const { where, set, classNames, log } = opened
  const about = { data: opened.name, uses: opened.chosen.from }
  if (task === "pose" || format === "mpii" || (task === undefined && arePeople(opened))) {
    const people = peopleOf(where, set, classNames)
    const jointNames = people.skeleton.names
    const look = (image: AnnotatedImage): PersonTarget[] => usablePeople(image, people, log).map(({ target }) => target)
    return { ...about, jointNames, ...countSet(opened, look, countPeople(jointNames.length)) }
  }
  const look = (image: AnnotatedImage): number[] =>
    usableObjects(image, classNames, log).flatMap(({ className, isCrowd }) =>
      isCrowd === true ? [] : [classNames.indexOf(className)],
    )
  return { ...about, classNames, ...countSet(opened, look, countBoxes(classNames.length)) }
}

/** Counts what is in pictures that are no files with annotations, such as generated ones. */
export function summarizePictures(dataset: PictureDataset<unknown>): DetectionSummary | PoseSummary {
  const about = { data: dataset.name, uses: { train: "train", test: "test" }, defects: [], defectCounts: {} }
  if (isPose(dataset)) {
    const jointNames = dataset.skeleton.names
    const look = (target: PersonTarget): Counted<PersonTarget> => ({ ...target, objects: [target] })
    return { ...about, jointNames, ...countTargets(dataset, look, countPeople(jointNames.length)) }
  }
  const { classNames } = dataset
  const look = ({ width, height, boxes }: DetectionTarget): Counted<number> => ({
    width,
    height,
    objects: singleObjects(boxes).map(({ classIndex }) => classIndex),
  })
  return { ...about, classNames, ...countTargets(dataset as DetectionDataset, look, countBoxes(classNames.length)) }
}

function isPose(dataset: PictureDataset<unknown>): dataset is PoseDataset {
  return dataset.skeleton !== undefined
}

/** An image, or what is counted as one, and what was found in it. */
interface Counted<Found> {
  readonly width: number
  readonly height: number
  readonly objects: readonly Found[]
}

type Count<Found, Counts> = (name: string, images: readonly Counted<Found>[]) => Counts

function countSet<Found, Counts>(
  { set, log, isUsable }: OpenedAnnotations,
  look: (image: AnnotatedImage) => readonly Found[],
  count: Count<Found, Counts>,
): Pick<Summary<Counts>, "splits" | "sizes" | "defects" | "defectCounts"> {
  const counted = new Map<string, Counted<Found>>()
  for (const image of set.images) {
    // What is in images that are left out is looked at all the same: whoever mends the image wants to know.
    const objects = look(image)
    if (isUsable(image.id)) counted.set(image.id, { width: image.width, height: image.height, objects })
  }
  const of = (ids: readonly string[]): Counted<Found>[] => ids.flatMap((id) => counted.get(id) ?? [])
  const named = [...set.splits].map(([name, ids]) => count(name, of(ids)))
  const inSplits = new Set([...set.splits.values()].flat())
  const rest = set.images.map(({ id }) => id).filter((id) => !inSplits.has(id))
  const others = rest.length === 0 ? [] : [count(named.length === 0 ? "all" : "in no split", of(rest))]
  return {
    splits: [...named, ...others],
    sizes: sizesOf([...counted.values()]),
    defects: log.defects,
    defectCounts: countKinds(log.defects),
  }
}

function countTargets<Target, Found, Counts>(
  { train, test }: PictureDataset<Target>,
  look: (target: Target) => Counted<Found>,
  count: Count<Found, Counts>,
): Pick<Summary<Counts>, "splits" | "sizes"> {
  const [trained, tested] = [train.targets.map(look), test.targets.map(look)]
  return { splits: [count("train", trained), count("test", tested)], sizes: sizesOf([...trained, ...tested]) }
}

function countBoxes(classes: number): Count<number, SplitCounts> {
  return (name, images) => {
    const boxes: number[] = new Array(classes).fill(0)
    for (const { objects } of images) for (const index of objects) boxes[index] = (boxes[index] as number) + 1
    const without = images.filter(({ objects }) => objects.length === 0)
    return { name, images: images.length, imagesWithoutBoxes: without.length, boxes }
  }
}

function countPeople(joints: number): Count<PersonTarget, PeopleCounts> {
  return (name, images) => {
    const people = images.flatMap(({ objects }) => objects)
    const counts = Array.from(
      { length: joints },
      (_, index) =>
        people.filter((person) => person.joints[index] !== undefined && isLabelled(person.joints[index])).length,
    )
    return {
      name,
      // Of people alone every one has an entry, and several may share an image.
      images: new Set(images.map(({ objects: [person] }, index) => person?.imageId ?? index)).size,
      imagesWithoutPeople: images.filter(({ objects }) => objects.length === 0).length,
      people: people.length,
      boxes: people.filter(({ box }) => box !== null).length,
      joints: counts,
    }
  }
}

function sizesOf(images: readonly Counted<unknown>[]): Summary<unknown>["sizes"] {
  const range = (values: readonly number[]): [number, number] => [
    values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    values.reduce((most, value) => Math.max(most, value), 0),
  ]
  return { width: range(images.map(({ width }) => width)), height: range(images.map(({ height }) => height)) }
}

function countKinds(defects: readonly AnnotationDefect[]): Partial<Record<DefectKind, number>> {
  const counts: Partial<Record<DefectKind, number>> = {}
  for (const { kind } of defects) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
