import { readFileSync } from "node:fs"
import { createRng, type Rng } from "@learnloss/engine"
import type { Box, Detection, LabeledBox } from "../../data/boxes.ts"
import type { VocTruth } from "./average-precision.ts"
import type { CocoMetrics } from "./coco-average-precision.ts"
import type { CocoTruth } from "./coco-matching.ts"

type DetectionRow = [classIndex: number, score: number, ...box: Box]
type ObjectRow = [
  classIndex: number,
  ...box: Box,
  ...rest: [isDifficult: boolean, isCrowd: boolean, area: number | null],
]
type ImageRows = { objects: ObjectRow[]; detections: DetectionRow[] }
type VocOptions = { iouThreshold: number; addsOnePixel: boolean }

/** What `fixtures/make-detection-metrics.py` writes. */
interface Stored {
  cases: {
    name: string
    classes: number
    images: ImageRows[]
    voc: { options: VocOptions; perClass: ([allPoint: number, elevenPoint: number] | null)[] }[]
    coco: CocoMetrics
  }[]
  known: {
    voc: { images: ImageRows[]; options: VocOptions; allPoint: number; elevenPoint: number }
    coco: { images: ImageRows[]; classes: number; figures: CocoMetrics }
  }
}

const file = new URL("../../../../../fixtures/detection-metrics.json", import.meta.url)
const stored = JSON.parse(readFileSync(file, "utf8")) as Stored

export const metricCases = stored.cases.map((each) => ({ ...each, ...read(each.images) }))
export const knownVoc = { ...stored.known.voc, ...read(stored.known.voc.images) }
export const knownCoco = { ...stored.known.coco, ...read(stored.known.coco.images) }

function read(images: readonly ImageRows[]): { detections: Detection[][]; truths: (VocTruth & CocoTruth)[][] } {
  return {
    detections: images.map(({ detections }) =>
      detections.map(([classIndex, score, ...box]) => ({ classIndex, score, box })),
    ),
    truths: images.map(({ objects }) =>
      objects.map(([classIndex, x1, y1, x2, y2, isDifficult, isCrowd, area]) => ({
        classIndex,
        box: [x1, y1, x2, y2] as const,
        isDifficult,
        isCrowd,
        ...(area === null ? {} : { area }),
      })),
    ),
  }
}

/** Figures that must agree within 1e-9. */
export function worstDifference(found: object, expected: object): number {
  const differences = Object.entries(expected).map(([name, value]) => {
    const other = (found as Record<string, unknown>)[name]
    if (value === null || other === null || other === undefined) return value === other ? 0 : Number.POSITIVE_INFINITY
    if (typeof value === "object") return worstDifference(other as object, value)
    return Math.abs(value - (other as number))
  })
  return Math.max(0, ...differences)
}

/** Images whose objects are found well, badly, twice or not at all; no two scores are equal. */
export function randomImages(
  seed: string,
  count: number,
  classes: number,
): { detections: Detection[][]; truths: LabeledBox[][] } {
  const rng = createRng(seed)
  const scores = rng.permutation(count * 16)
  const detections: Detection[][] = []
  const truths: LabeledBox[][] = []
  for (let image = 0; image < count; image++) {
    const marked = Array.from({ length: rng.integer(5) }, () => ({
      classIndex: rng.integer(classes),
      box: randomBox(rng),
      isDifficult: rng.integer(6) === 0,
    }))
    const near = marked.flatMap(({ classIndex, box }) =>
      Array.from({ length: rng.integer(3) }, () => ({ classIndex, box: shifted(rng, box) })),
    )
    const anywhere = Array.from({ length: 3 }, () => ({ classIndex: rng.integer(classes), box: randomBox(rng) }))
    truths.push(marked)
    detections.push(
      [...near, ...anywhere].map((each) => ({ ...each, score: ((scores.pop() as number) + 1) / (count * 16) })),
    )
  }
  return { detections, truths }
}

function randomBox(rng: Rng): Box {
  const [x, y] = [rng.integer(200), rng.integer(200)]
  return [x, y, x + 8 + rng.integer(120), y + 8 + rng.integer(120)]
}

function shifted(rng: Rng, [x1, y1, x2, y2]: Box): Box {
  const [dx, dy] = [rng.integer(12) - 6, rng.integer(12) - 6]
  return [x1 + dx, y1 + dy, x2 + dx, y2 + dy]
}
