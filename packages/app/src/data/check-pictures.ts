import type { DetectionSummary, PoseSummary } from "@learnloss/learn"
import { formatCount, plural } from "../report/format.ts"

/** What there is in pictures with boxes or people as lines for a person: a table of splits, then every defect. */
export function formatPicturesSummary(summary: DetectionSummary | PoseSummary): string {
  const { data, splits, uses, sizes, defects, defectCounts } = summary
  const rows = rowsOf(summary)
  const nameWidth = Math.max(14, ...rows.map(([name]) => name.length))
  const widths = splits.map(({ name }) => Math.max(9, name.length))
  const row = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(nameWidth)}${cells.map((cell, column) => `  ${cell.padStart(widths[column] as number)}`).join("")}`
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
    ...rows.map(([name, counts]) => row(name, counts.map(formatCount))),
    "",
    ...(defects.length === 0 ? ["no defects"] : [`${plural(defects.length, "defect")}: ${kindsText(defectCounts)}`]),
    ...defects.map(({ file, reason }) => `  ${file}: ${reason}`),
  ].join("\n")
}

type Row = readonly [name: string, countBySplit: readonly number[]]

function rowsOf(summary: DetectionSummary | PoseSummary): Row[] {
  if ("jointNames" in summary) {
    const { splits, jointNames } = summary
    return [
      ["images", splits.map(({ images }) => images)],
      ["without people", splits.map(({ imagesWithoutPeople }) => imagesWithoutPeople)],
      ["people", splits.map(({ people }) => people)],
      ["boxes", splits.map(({ boxes }) => boxes)],
      ["labelled joints", splits.map(({ joints }) => joints.reduce((sum, count) => sum + count, 0))],
      ...jointNames.map((name, index): Row => [name, splits.map(({ joints }) => joints[index] ?? 0)]),
    ]
  }
  const { splits, classNames } = summary
  return [
    ["images", splits.map(({ images }) => images)],
    ["without boxes", splits.map(({ imagesWithoutBoxes }) => imagesWithoutBoxes)],
    ["boxes", splits.map(({ boxes }) => boxes.reduce((sum, count) => sum + count, 0))],
    ...classNames.map((name, index): Row => [name, splits.map(({ boxes }) => boxes[index] ?? 0)]),
  ]
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
