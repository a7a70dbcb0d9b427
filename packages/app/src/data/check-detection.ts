import type { DetectionSummary, SplitCounts } from "@learnloss/learn"
import { formatCount, plural } from "../report/format.ts"

/** What there is in images with boxes as lines for a person: a table of classes and splits, then every defect. */
export function formatDetectionSummary(summary: DetectionSummary): string {
  const { data, classNames, splits, uses, sizes, defects, defectCounts } = summary
  const nameWidth = Math.max(14, ...classNames.map((name) => name.length))
  const widths = splits.map(({ name }) => Math.max(9, name.length))
  const row = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(nameWidth)}${cells.map((cell, column) => `  ${cell.padStart(widths[column] as number)}`).join("")}`
  const counts = (name: string, of: (split: SplitCounts) => number): string =>
    row(
      name,
      splits.map((split) => formatCount(of(split))),
    )
  return [
    data,
    `  training   ${uses.train}`,
    `  test       ${uses.test}`,
    `  image      ${sizeText(sizes)}`,
    "",
    row(
      "",
      splits.map(({ name }) => name),
    ),
    counts("images", ({ images }) => images),
    counts("without boxes", ({ imagesWithoutBoxes }) => imagesWithoutBoxes),
    counts("boxes", ({ boxes }) => boxes.reduce((sum, count) => sum + count, 0)),
    ...classNames.map((name, index) => counts(name, ({ boxes }) => boxes[index] ?? 0)),
    "",
    ...(defects.length === 0 ? ["no defects"] : [`${plural(defects.length, "defect")}: ${kindsText(defectCounts)}`]),
    ...defects.map(({ file, reason }) => `  ${file}: ${reason}`),
  ].join("\n")
}

function sizeText({ width, height }: DetectionSummary["sizes"]): string {
  const range = ([least, most]: readonly [number, number]): string => (least === most ? `${most}` : `${least}..${most}`)
  return width[1] === 0 ? "none that can be used" : `${range(width)} x ${range(height)} pixels`
}

function kindsText(counts: DetectionSummary["defectCounts"]): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${formatCount(count)} ${kind}`)
    .join(", ")
}
