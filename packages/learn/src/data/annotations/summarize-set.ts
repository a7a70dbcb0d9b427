import { singleObjects } from "../boxes.ts"
import type { DetectionDataset } from "../dataset.ts"
import type { AnnotationFormat } from "./annotated-set.ts"
import { usableObjects } from "./check-objects.ts"
import type { AnnotationDefect, DefectKind } from "./defects.ts"
import { type OpenAnnotationsOptions, openAnnotations } from "./open-annotations.ts"

/** What a split holds that can be used. */
export interface SplitCounts {
  readonly name: string
  readonly images: number
  readonly imagesWithoutBoxes: number
  /** Boxes by class, in the order of the classes. */
  readonly boxes: readonly number[]
}

/** What there is in images with boxes. */
export interface DetectionSummary {
  readonly data: string
  readonly classNames: readonly string[]
  readonly splits: readonly SplitCounts[]
  /** What is trained and tested on when nothing else is said, for people. */
  readonly uses: { readonly train: string; readonly test: string }
  /** Of the images that can be used, in pixels: the smallest and the largest width and height. */
  readonly sizes: { readonly width: readonly [number, number]; readonly height: readonly [number, number] }
  readonly defects: readonly AnnotationDefect[]
  readonly defectCounts: Readonly<Partial<Record<DefectKind, number>>>
}

/**
 * Reads annotated images from end to end and counts what can be used of them; the pixels are decoded too with `decodes`.
 *
 * @throws LearnlossError when they cannot be used at all, after every defect was told
 */
export async function summarizeAnnotations(
  format: AnnotationFormat,
  text: string | undefined,
  options: OpenAnnotationsOptions,
): Promise<DetectionSummary> {
  const { set, classNames, chosen, log, isUsable } = await openAnnotations(format, text, options)
  const counted = new Map<string, Counted>()
  for (const image of set.images) {
    // Boxes of images that are left out are looked at all the same: whoever mends the image wants to know.
    const single = usableObjects(image, classNames, log).filter(({ isCrowd }) => isCrowd !== true)
    const names = single.map(({ className }) => classNames.indexOf(className))
    if (isUsable(image.id)) counted.set(image.id, { classes: names, width: image.width, height: image.height })
  }
  const named = [...set.splits].map(([name, ids]) => countSplit(name, ids, counted, classNames.length))
  const inSplits = new Set([...set.splits.values()].flat())
  const rest = set.images.map(({ id }) => id).filter((id) => !inSplits.has(id))
  const others =
    rest.length === 0 ? [] : [countSplit(named.length === 0 ? "all" : "in no split", rest, counted, classNames.length)]
  return {
    data: `${format}:${text}`,
    classNames,
    splits: [...named, ...others],
    uses: chosen.from,
    sizes: sizesOf([...counted.values()]),
    defects: log.defects,
    defectCounts: countKinds(log.defects),
  }
}

/** Counts what is in images with boxes that are no files with annotations, such as generated ones. */
export function summarizeDetection({ name, classNames, train, test }: DetectionDataset): DetectionSummary {
  const splits = (["train", "test"] as const).map((split) => {
    const { ids, targets } = split === "train" ? train : test
    const counted = new Map(
      ids.map((id, index) => {
        const { width = 0, height = 0, boxes = [] } = targets[index] ?? {}
        return [id, { classes: singleObjects(boxes).map(({ classIndex }) => classIndex), width, height }]
      }),
    )
    return { counts: countSplit(split, ids, counted, classNames.length), images: [...counted.values()] }
  })
  return {
    data: name,
    classNames,
    splits: splits.map(({ counts }) => counts),
    uses: { train: "train", test: "test" },
    sizes: sizesOf(splits.flatMap(({ images }) => images)),
    defects: [],
    defectCounts: {},
  }
}

interface Counted {
  readonly classes: readonly number[]
  readonly width: number
  readonly height: number
}

function countSplit(
  name: string,
  ids: readonly string[],
  counted: ReadonlyMap<string, Counted>,
  classCount: number,
): SplitCounts {
  const images = ids.flatMap((id) => counted.get(id) ?? [])
  const boxes: number[] = new Array(classCount).fill(0)
  for (const { classes } of images) for (const index of classes) boxes[index] = (boxes[index] as number) + 1
  const without = images.filter(({ classes }) => classes.length === 0)
  return { name, images: images.length, imagesWithoutBoxes: without.length, boxes }
}

function sizesOf(images: readonly Counted[]): DetectionSummary["sizes"] {
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
