import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { AnnotatedImage, CarriedFile } from "../annotated-set.ts"
import type { DefectLog } from "../defects.ts"
import { listFiles, listFolders, readLines, safePath, stemOf } from "../folder.ts"

/** Splits by name and the lists beside them that are none. */
interface Splits {
  readonly splits: ReadonlyMap<string, readonly string[]>
  readonly files: readonly CarriedFile[]
}

/**
 * Reads `ImageSets/Main/*.txt` of each folder. Lists of one class (`dog_train.txt`: a stem and 1, 0 or -1) and lists for
 * other tasks are passed on as they stand.
 */
export async function readSplits(
  folder: string,
  roots: readonly string[],
  images: readonly AnnotatedImage[],
  log: DefectLog,
): Promise<Splits> {
  const splits = new Map<string, string[]>()
  const files: CarriedFile[] = []
  const add = (name: string, ids: readonly string[]): void =>
    void splits.set(name, [...(splits.get(name) ?? []), ...ids])
  for (const root of roots) {
    const room = root === "" ? "" : `${root}/`
    const own = images.filter(({ id }) => id.startsWith(`${room}JPEGImages/`))
    const idByStem = new Map(own.map(({ id }) => [stemOf(id), id]))
    const imageSets = join(folder, root, "ImageSets")
    for (const below of await listFolders(imageSets)) {
      for (const name of (await listFiles(join(imageSets, below))).filter((file) => file.endsWith(".txt"))) {
        const path = join(imageSets, below, name)
        const lines = await readLines(path)
        if (below !== "Main" || isClassList(lines, idByStem)) {
          files.push({ file: `${room}ImageSets/${below}/${name}`, text: await readFile(path, "utf8") })
          continue
        }
        const ids = resolveStems(path, lines, idByStem, log)
        const split = name.slice(0, -".txt".length)
        if (roots.length > 1) add(`${root}/${split}`, ids)
        add(split, ids)
      }
    }
  }
  return { splits, files }
}

function isClassList(lines: readonly string[], idByStem: ReadonlyMap<string, string>): boolean {
  return lines.length > 0 && lines.every((line) => /\s(-1|0|1)$/.test(line) && !idByStem.has(line.normalize("NFC")))
}

function resolveStems(
  path: string,
  lines: readonly string[],
  idByStem: ReadonlyMap<string, string>,
  log: DefectLog,
): string[] {
  const ids = new Set<string>()
  for (const line of lines) {
    const stem = line.normalize("NFC")
    const id = idByStem.get(stem)
    if (id === undefined) {
      const isSafe = safePath(stem) !== undefined && !stem.includes("/")
      const reason = isSafe ? "has neither image nor annotation" : "is a path, and not followed"
      log.spoil(`${path}:${stem}`, isSafe ? "missing-image" : "unsafe-path", path, `${JSON.stringify(stem)} ${reason}`)
    } else if (ids.has(id))
      log.add("duplicate-image", "noted", path, `${JSON.stringify(stem)} stands twice: taken once`)
    else ids.add(id)
  }
  return [...ids]
}
