import { readFile } from "node:fs/promises"
import { basename, dirname, extname, join, posix, relative } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { parse } from "yaml"
import type { CarriedFile } from "../annotated-set.ts"
import { isObject, type JsonObject } from "../coco/coco-json.ts"
import type { DefectLog } from "../defects.ts"
import {
  isFile,
  isFolder,
  isImageName,
  listFiles,
  listImagesBelow,
  nothingToRead,
  readLines,
  safePath,
} from "../folder.ts"

/** A YOLO folder: its classes, the images of its splits, and what its YAML file says. */
export interface YoloFolder {
  readonly folder: string
  readonly classNames: readonly string[]
  /** Paths of images relative to the folder, by split. */
  readonly splits: ReadonlyMap<string, readonly string[]>
  /** Images that no split names. */
  readonly others: readonly string[]
  readonly yaml: JsonObject
  /** The text files that say all this. */
  readonly files: readonly CarriedFile[]
}

const splitKeys = ["train", "val", "valid", "test"] as const
/** Keys of the YAML file that name no split, whatever they hold. */
const otherKeys = [
  "path",
  "names",
  "nc",
  "download",
  "kpt_shape",
  "kpt_names",
  "flip_idx",
  "roboflow",
  "yaml_file",
  "channels",
]

/**
 * Finds out what a YOLO folder holds: from `data.yaml` (or the one YAML file that names classes), else from
 * `classes.txt` and the folders `images/`, `images/SPLIT/` or `SPLIT/images/`.
 *
 * @throws LearnlossError `NO_ANNOTATIONS`, `BAD_YAML`, `NO_CLASS_NAMES`
 */
export async function findYolo(path: string, log: DefectLog): Promise<YoloFolder> {
  const yamlFile = (await isFile(path)) ? path : await findYaml(path)
  const folder = yamlFile === undefined ? path : dirname(yamlFile)
  const yaml = yamlFile === undefined ? {} : await readYaml(yamlFile)
  const named = yamlFile === undefined ? new Map<string, string[]>() : await namedSplits(folder, yamlFile, yaml, log)
  const splits = named.size > 0 ? named : await splitFolders(folder)
  const inSplits = new Set([...splits.values()].flat())
  const others = (await listImagesBelow(join(folder, "images"))).map((file) => `images/${file}`)
  const unnamed = others.filter((file) => !inSplits.has(file))
  if (inSplits.size + unnamed.length === 0) {
    throw nothingToRead(
      `yolo:${path}`,
      "data.yaml, or images/ and labels/ with classes.txt",
      (await isFolder(folder)) ? "Give the folder that holds data.yaml." : "There is no such folder: check the path.",
    )
  }
  const classNames = yaml.names === undefined ? await listedClasses(folder) : readNames(yamlFile as string, yaml.names)
  const files = await readTexts(folder, yamlFile, yaml)
  return { folder, classNames, splits, others: unnamed, yaml, files }
}

/** The YAML file, lists of classes and lists of images, to be written again as they stand. */
async function readTexts(folder: string, yamlFile: string | undefined, yaml: JsonObject): Promise<CarriedFile[]> {
  const places = Object.values(yaml).flatMap((value) => (Array.isArray(value) ? value : [value]))
  const lists = places.flatMap((place) =>
    typeof place === "string" && place.endsWith(".txt") ? (safePath(place) ?? []) : [],
  )
  const own = yamlFile === undefined ? [] : [basename(yamlFile)]
  const texts: CarriedFile[] = []
  for (const file of new Set([...own, "classes.txt", "labels/classes.txt", "obj.names", ...lists])) {
    if (await isFile(join(folder, file))) texts.push({ file, text: await readFile(join(folder, file), "utf8") })
  }
  return texts
}

async function findYaml(folder: string): Promise<string | undefined> {
  const files = (await listFiles(folder)).filter((name) => [".yaml", ".yml"].includes(extname(name)))
  const preferred = ["data.yaml", "dataset.yaml", "data.yml"].find((name) => files.includes(name))
  if (preferred !== undefined) return join(folder, preferred)
  for (const name of files) {
    const yaml = await readYaml(join(folder, name))
    if (yaml.names !== undefined) return join(folder, name)
  }
  return undefined
}

async function readYaml(path: string): Promise<JsonObject> {
  try {
    // No aliases: a few lines of them could fill the memory.
    const yaml: unknown = parse(await readFile(path, "utf8"), { maxAliasCount: 0 })
    if (isObject(yaml)) return yaml
    throw new Error("no keys")
  } catch (error) {
    throw new LearnlossError("BAD_YAML", {
      where: path,
      expected: "a YAML file with names and splits",
      got: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error),
      fix: "Correct the file.",
    })
  }
}

function readNames(where: string, names: unknown): string[] {
  const list = Array.isArray(names) ? names : isObject(names) ? fromMap(names) : []
  if (list.length > 0 && list.every((name) => ["string", "number"].includes(typeof name))) return list.map(String)
  throw new LearnlossError("NO_CLASS_NAMES", {
    where,
    expected: "names as a list, or as a map from 0, 1, 2, ...",
    got: JSON.stringify(names)?.slice(0, 80) ?? "nothing",
    fix: "Write for example names: [cat, dog].",
  })
}

function fromMap(names: JsonObject): unknown[] {
  const list: unknown[] = Array.from({ length: Object.keys(names).length }, () => undefined)
  for (const [key, name] of Object.entries(names)) if (/^\d+$/.test(key)) list[Number(key)] = name
  return list
}

async function listedClasses(folder: string): Promise<string[]> {
  for (const file of ["classes.txt", "labels/classes.txt", "obj.names"]) {
    const names = await readLines(join(folder, file))
    if (names.length > 0) return names
  }
  throw new LearnlossError("NO_CLASS_NAMES", {
    where: `yolo:${folder}`,
    expected: "names in data.yaml, or classes.txt with a class on each line",
    got: "neither",
    fix: "Add one of them: label files hold only numbers.",
  })
}

/** Splits of the YAML file: each names a folder, a text file that lists images, or several of these. */
async function namedSplits(
  folder: string,
  yamlFile: string,
  yaml: JsonObject,
  log: DefectLog,
): Promise<Map<string, string[]>> {
  const splits = new Map<string, string[]>()
  const root = typeof yaml.path === "string" ? safePath(yaml.path) : undefined
  for (const [key, value] of Object.entries(yaml)) {
    const places = (Array.isArray(value) ? value : [value]).filter((place) => typeof place === "string")
    if (otherKeys.includes(key) || places.length === 0) continue
    const images: string[] = []
    for (const place of places) {
      const found = await imagesAt(folder, root, place, yamlFile, log)
      if (found !== undefined) images.push(...found)
      else if (splitKeys.some((known) => known === key)) {
        log.add("missing-image", "noted", yamlFile, `${key}: ${place} is no folder or list inside this folder`)
      }
    }
    if (images.length > 0) splits.set(key, [...new Set(images)])
  }
  return splits
}

async function imagesAt(
  folder: string,
  root: string | undefined,
  place: string,
  yamlFile: string,
  log: DefectLog,
): Promise<string[] | undefined> {
  // Exports say ../train/images for train/images, and path: is often where the data lay on another machine.
  const inside = safePath(place.replaceAll("\\", "/").replace(/^(\.\.\/)+/, ""))
  if (inside === undefined) return undefined
  for (const at of [inside, ...(root === undefined ? [] : [posix.join(root, inside)])]) {
    if (await isFolder(join(folder, at)))
      return (await listImagesBelow(join(folder, at))).map((file) => posix.join(at, file))
    if (!(await isFile(join(folder, at)))) continue
    const lines = await readLines(join(folder, at))
    return lines.flatMap((line) => {
      const listed = safePath(line)
      if (listed !== undefined && isImageName(listed)) return [listed]
      log.spoil(
        line,
        "unsafe-path",
        join(dirname(yamlFile), at),
        `${JSON.stringify(line)} is no image inside this folder`,
      )
      return []
    })
  }
  return undefined
}

async function splitFolders(folder: string): Promise<Map<string, string[]>> {
  const splits = new Map<string, string[]>()
  for (const split of splitKeys) {
    for (const at of [`${split}/images`, `images/${split}`]) {
      const images = await listImagesBelow(join(folder, at))
      if (images.length > 0)
        splits.set(
          split,
          images.map((file) => `${at}/${file}`),
        )
    }
  }
  return splits
}

/** Where the labels of an image stand: `labels/` for the last `images/` of its path, else beside it. */
export function labelPath(image: string): string {
  const folders = dirname(image).split("/")
  const last = folders.lastIndexOf("images")
  if (last >= 0) folders[last] = "labels"
  const stem = basename(image, extname(image))
  return relative(".", join(...folders, `${stem}.txt`)).replaceAll("\\", "/")
}
