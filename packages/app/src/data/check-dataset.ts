import type { TaskName } from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import {
  annotationFormats,
  type DataDefect,
  type DetectionSummary,
  type ImageShape,
  isPictures,
  openDataset,
  type PoseSummary,
  parseDataSpec,
  summarizeAnnotations,
  summarizePictures,
} from "@learnloss/learn"
import { formatPicturesSummary } from "./check-pictures.ts"

/** What `learnloss data check` found out. */
export interface DatasetSummary {
  readonly data: string
  readonly imageShape: ImageShape
  readonly trainImages: number
  readonly testImages: number
  readonly classes: readonly {
    readonly name: string
    readonly train: number
    readonly test: number
  }[]
  readonly normalization: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** Files that were left out. */
  readonly defects: readonly DataDefect[]
}

/** Of images of one class each, of boxes or of people. */
export type AnySummary = DatasetSummary | DetectionSummary | PoseSummary

export interface CheckOptions {
  readonly imageSize: number
  /** What to count where there are boxes and joints; default people where objects have joints. */
  readonly task?: TaskName | undefined
  /** Decodes images with boxes, which are otherwise not decoded before they are trained on. */
  readonly decodes?: boolean
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  readonly onDefect?: (defect: DataDefect) => void
}

/**
 * Reads a data set from end to end and counts what is in it.
 *
 * @throws LearnlossError when it cannot be used, after every defect was told.
 */
export async function checkDataset(data: string, options: CheckOptions): Promise<AnySummary> {
  const { format, path } = parseDataSpec(data)
  const annotated = annotationFormats.find((known) => known === format)
  if (annotated !== undefined) {
    const { imageSize: _, ...others } = options
    return await summarizeAnnotations(annotated, path, { rng: createRng(0), ...others })
  }
  const defects: DataDefect[] = []
  const dataset = await openDataset(data, {
    imageSize: options.imageSize,
    rng: createRng(0),
    signal: options.signal,
    onProgress: options.onProgress,
    onDefect: (defect) => {
      defects.push(defect)
      options.onDefect?.(defect)
    },
  })
  const count = (targets: readonly number[]): number[] => {
    const counts: number[] = dataset.classNames.map(() => 0)
    for (const target of targets) counts[target] = (counts[target] ?? 0) + 1
    return counts
  }
  if (isPictures(dataset)) return summarizePictures(dataset)
  const [train, test] = [count(dataset.train.targets), count(dataset.test.targets)]
  return {
    data: dataset.name,
    imageShape: dataset.imageShape,
    trainImages: dataset.train.ids.length,
    testImages: dataset.test.ids.length,
    classes: dataset.classNames.map((name, target) => ({ name, train: train[target] ?? 0, test: test[target] ?? 0 })),
    normalization: dataset.normalization,
    defects,
  }
}

/** The summary as lines for a person, with a bar for each class. */
export function formatSummary(summary: AnySummary): string {
  if ("splits" in summary) return formatPicturesSummary(summary)
  const { imageShape: shape, normalization, defects } = summary
  const channels = shape.channels === 1 ? "1 channel" : `${shape.channels} channels`
  const facts = [
    ["training", `${count(summary.trainImages)} images`],
    ["test", `${count(summary.testImages)} images`],
    ["image", `${shape.width}x${shape.height} pixels, ${channels}`],
    ["mean", normalization.mean.map((value) => value.toFixed(4)).join(", ")],
    ["std", normalization.std.map((value) => value.toFixed(4)).join(", ")],
  ]
  return [
    summary.data,
    ...facts.map(([name, value]) => `  ${name?.padEnd(9)} ${value}`),
    "",
    ...histogram(summary),
    "",
    ...(defects.length === 0 ? ["no defects"] : [`left out: ${count(defects.length)}`]),
    ...defects.map(({ file, reason }) => `  ${file}: ${reason}`),
  ].join("\n")
}

function histogram({ classes }: DatasetSummary): string[] {
  const nameWidth = Math.max(5, ...classes.map(({ name }) => name.length))
  const largest = Math.max(...classes.map(({ train }) => train))
  const row = (name: string, train: string, test: string, bar: string): string =>
    `  ${name.padEnd(nameWidth)} ${train.padStart(9)} ${test.padStart(9)}  ${bar}`.trimEnd()
  return [
    row("class", "training", "test", ""),
    ...classes.map(({ name, train, test }) =>
      row(name, count(train), count(test), "█".repeat(Math.max(1, Math.round((24 * train) / largest)))),
    ),
  ]
}

function count(value: number): string {
  return value.toLocaleString("en-US")
}
