import { basename, join, resolve } from "node:path"
import { atomicWrite } from "@learnloss/engine"
import { decodeImage, imageSize, type RankedImage, type Ranking } from "@learnloss/learn"
import { contactSheet } from "../report/contact-sheet.ts"

/** Files of a ranking in its folder, `report` last: where it stands, the others are whole. */
export const rankingFiles = {
  csv: "batch.csv",
  json: "batch.json",
  coco: "batch-coco.json",
  picture: "batch.png",
  ranking: "ranking.csv",
  report: "report.json",
} as const

/** An image of the batch as files and `--json` have it. */
export interface BatchEntry {
  readonly rank: number
  readonly id: string
  readonly predictedLoss: number
  readonly path: string
}

export function batchEntry({ rank, image, predictedLoss }: RankedImage): BatchEntry {
  return { rank, id: image.id, predictedLoss, path: resolve(image.path) }
}

/** Images that the picture shows, and their side in it. */
const shownImages = 24
const shownSide = 128

/**
 * Writes everything that a ranking came to, each file whole or not at all.
 *
 * @throws LearnlossError `FILE_NOT_WRITTEN`
 */
export async function writeRanking(folder: string, { batch, ranking }: Ranking, report: object): Promise<void> {
  const write = (name: string, content: string | Uint8Array) => atomicWrite(join(folder, name), content)
  const entries = batch.map(batchEntry)
  write(rankingFiles.csv, csvOf(entries))
  write(rankingFiles.json, jsonOf(entries))
  write(rankingFiles.coco, jsonOf(await cocoList(batch)))
  write(rankingFiles.ranking, csvOf(ranking.map(batchEntry)))
  write(rankingFiles.picture, await pictureOf(batch))
  write(rankingFiles.report, jsonOf(report))
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

const csvColumns = ["rank", "id", "predictedLoss", "path"] as const

function csvOf(entries: readonly BatchEntry[]): string {
  const rows = entries.map((entry) => csvColumns.map((column) => quote(String(entry[column]))).join(","))
  return `${[csvColumns.join(","), ...rows].join("\n")}\n`
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The image list of a COCO file without annotations, as labelling tools read it; sizes are of the upright images. */
async function cocoList(batch: readonly RankedImage[]) {
  const images: { id: number; file_name: string; width: number; height: number }[] = []
  for (const [index, { image }] of batch.entries()) {
    images.push({ id: index + 1, file_name: image.id, ...(await imageSize(image.path)) })
  }
  return { images, annotations: [], categories: [] }
}

async function pictureOf(batch: readonly RankedImage[]): Promise<Uint8Array> {
  const shown = batch.slice(0, shownImages).map(async ({ image, predictedLoss }) => ({
    label: basename(image.id),
    score: predictedLoss,
    pixels: await decodeImage(image.path, shownSide),
  }))
  return await contactSheet(await Promise.all(shown), { channels: 3, height: shownSide, width: shownSide })
}
