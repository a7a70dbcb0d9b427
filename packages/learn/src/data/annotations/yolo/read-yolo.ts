import { readFile } from "node:fs/promises"
import { extname, join } from "node:path"
import type { AnnotatedImage, AnnotatedObject, AnnotatedSet } from "../annotated-set.ts"
import type { DefectLog } from "../defects.ts"
import { byCodePoint, isFile, listFiles } from "../folder.ts"
import { inspectImage } from "../image-file.ts"
import { mapInOrder, type SetReadOptions } from "../set-reader.ts"
import { findYolo, labelPath } from "./find-yolo.ts"
import { type JointShape, readYoloJoints } from "./yolo-joints.ts"
import { readYoloLine } from "./yolo-line.ts"

/**
 * Reads a YOLO folder: `data.yaml` with classes and splits, images, and for each a text file with a line an object. An
 * empty text file means an image without objects, and so does a missing one, as YOLO's own tools take it.
 *
 * @param path the folder, or its YAML file
 * @throws LearnlossError `NO_ANNOTATIONS`, `BAD_YAML`, `NO_CLASS_NAMES`
 */
export async function readYoloSet(path: string, options: SetReadOptions): Promise<AnnotatedSet> {
  const { folder, classNames, splits, others, yaml, files: texts } = await findYolo(path, options.log)
  const files = [...new Set([...[...splits.values()].flat(), ...others])].sort(byCodePoint)
  const owners = new Map<string, string[]>()
  for (const file of files) owners.set(labelPath(file), [...(owners.get(labelPath(file)) ?? []), file])
  const { shape, skeletons } = readYoloJoints(yaml, classNames, (kind, reason) =>
    options.log.add(kind, "noted", texts[0] === undefined ? folder : join(folder, texts[0].file), reason),
  )
  const images = await mapInOrder(files, options, (file, log) =>
    readImage({ folder, file, classNames, shape, owners }, log, options.decodes === true),
  )
  noteUnlabelled(folder, images, options.log)
  await reportLonely(folder, owners, options.log)
  const idOf = (file: string): string => file.normalize("NFC")
  return {
    format: "yolo",
    folder,
    classNames,
    skeletons,
    images,
    splits: new Map([...splits].map(([name, listed]) => [name, listed.map(idOf)])),
    carried: { format: "yolo", yaml, files: texts },
  }
}

interface Place {
  readonly folder: string
  readonly file: string
  readonly classNames: readonly string[]
  readonly shape: JointShape | null
  /** Images by the path of their label file. */
  readonly owners: ReadonlyMap<string, readonly string[]>
}

async function readImage(place: Place, log: DefectLog, decodes: boolean): Promise<AnnotatedImage> {
  const { folder, file, owners } = place
  const id = file.normalize("NFC")
  const path = join(folder, file)
  const labels = labelPath(file)
  if (!(await isFile(path))) {
    log.spoil(id, "missing-image", path, "no such image")
    return { id, path: null, width: 0, height: 0, annotation: null, objects: [] }
  }
  const header = await inspectImage(id, path, log, decodes)
  const size = { width: header?.width ?? 0, height: header?.height ?? 0 }
  const annotation = join(folder, labels)
  if (!(await isFile(annotation))) {
    return { id, path, ...size, annotation, objects: [], carried: { format: "yolo", isUnlabelled: true } }
  }
  const sharing = owners.get(labels) ?? []
  if (sharing.length > 1) log.spoil(id, "duplicate-stem", annotation, `could belong to any of ${sharing.join(", ")}`)
  // Lines are parts of the image's size: without it they cannot be read.
  if (header === undefined) return { id, path, ...size, annotation: null, objects: [] }
  return { id, path, ...size, annotation, objects: await readLabels(annotation, place, header, log) }
}

async function readLabels(
  path: string,
  { classNames, shape }: Place,
  size: { readonly width: number; readonly height: number },
  log: DefectLog,
): Promise<AnnotatedObject[]> {
  const text = await readFile(path, "utf8")
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === "") return []
      return log.tryObject(path, `line ${index + 1}`, () => readYoloLine(line, size, classNames, shape))
    })
}

/** Tells once how many images have no label file: there may be thousands, or a folder of labels may be missing. */
function noteUnlabelled(folder: string, images: readonly AnnotatedImage[], log: DefectLog): void {
  const unlabelled = images.filter(({ carried }) => carried?.format === "yolo")
  if (unlabelled.length === 0) return
  const which = unlabelled.length === 1 ? "1 image has" : `${unlabelled.length} images have`
  const finding = `${which} no label file (${unlabelled[0]?.id}): taken for background, without objects`
  log.add("missing-annotation", "noted", folder, finding)
}

/** Tells label files that belong to no image. */
async function reportLonely(folder: string, owners: ReadonlyMap<string, unknown>, log: DefectLog): Promise<void> {
  const folders = new Set([...owners.keys()].map((file) => file.split("/").slice(0, -1).join("/")))
  for (const below of [...folders].sort(byCodePoint)) {
    for (const name of await listFiles(join(folder, below))) {
      const file = below === "" ? name : `${below}/${name}`
      if (
        extname(name) !== ".txt" ||
        owners.has(file) ||
        !below.split("/").includes("labels") ||
        name === "classes.txt"
      )
        continue
      log.spoil(file, "missing-image", join(folder, file), "belongs to no image")
    }
  }
}
