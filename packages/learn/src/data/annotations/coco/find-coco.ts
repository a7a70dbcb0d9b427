import { basename, dirname, join, relative } from "node:path"
import { isFile, isFolder, listFiles, listFolders, nothingToRead } from "../folder.ts"
import { badJson, readJson } from "../json-file.ts"
import { isObject, type JsonObject } from "./coco-json.ts"

/** An instances file with the name of the split that it holds. */
export interface CocoFile {
  /** Relative to the set's folder. */
  readonly file: string
  readonly split: string
  readonly json: JsonObject & { readonly images: readonly unknown[]; readonly annotations: readonly unknown[] }
}

/**
 * Finds the instances files of a folder: in it, in `annotations/` or, as Roboflow writes them, one in each split's
 * folder. Where there are files named `instances_*` others are passed over, for they describe the same images; where
 * joints are wanted, those named `person_keypoints_*` go before them, and where they are not they are named as unread.
 *
 * @throws LearnlossError `NO_ANNOTATIONS`, `BAD_JSON`
 */
export async function findCoco(
  path: string,
  wantsJoints: boolean,
): Promise<{ readonly folder: string; readonly files: CocoFile[]; readonly unread: readonly string[] }> {
  if (await isFile(path)) {
    const own = dirname(path)
    const folder = basename(own) === "annotations" ? dirname(own) : own
    const file = relative(folder, path)
    return { folder, files: [await open(folder, file, true)], unread: [] }
  }
  const candidates: string[] = []
  for (const below of ["", ...(await listFolders(path))]) {
    const names = (await listFiles(join(path, below))).filter((name) => name.endsWith(".json"))
    candidates.push(...names.map((name) => join(below, name)))
  }
  const named = (start: string): string[] => candidates.filter((file) => basename(file).startsWith(start))
  const [ofJoints, ofBoxes] = [named("person_keypoints_"), named("instances_")]
  const instances = wantsJoints && ofJoints.length > 0 ? ofJoints : ofBoxes
  const unread = instances === ofBoxes && ofBoxes.length > 0 ? ofJoints.map((file) => join(path, file)) : []
  const files: CocoFile[] = []
  for (const file of instances.length > 0 ? instances : candidates) {
    const opened = await open(path, file, instances.length > 0)
    if (Array.isArray(opened.json.images) && Array.isArray(opened.json.annotations)) files.push(opened)
  }
  if (files.length > 0) return { folder: path, files, unread }
  throw nothingToRead(
    `coco:${path}`,
    "a JSON file with images, annotations and categories, in the folder, in annotations/ or in the folder of a split",
    (await isFolder(path)) ? "Give the folder that holds annotations/, or the JSON file." : "There is no such folder.",
  )
}

const fix = "The file is no COCO instances file, or damaged."
const lists = "lists images, annotations and categories"

async function open(folder: string, file: string, isMeant: boolean): Promise<CocoFile> {
  const path = join(folder, file)
  const value = await readJson(path, fix)
  if (isMeant && !isObject(value)) throw badJson(path, lists, JSON.stringify(value).slice(0, 80), fix)
  const json = isObject(value) ? value : {}
  const isComplete = [json.images, json.annotations, json.categories].every(Array.isArray)
  if (isMeant && !isComplete)
    throw badJson(path, lists, `an object with ${Object.keys(json).join(", ") || "nothing in it"}`, fix)
  return { file: file.replaceAll("\\", "/"), split: splitName(file), json: json as CocoFile["json"] }
}

function splitName(file: string): string {
  const name = basename(file, ".json")
  if (name === "_annotations.coco") return basename(dirname(file))
  return name.replace(/^(instances|person_keypoints|annotations?)[_-]/, "")
}
