import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { type DataFormat, dataFormats, nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { type AnnotationFormat, annotationFormats } from "./annotations/annotated-set.ts"
import { detectionDatasetOf, readDetectionDataset } from "./annotations/detection-dataset.ts"
import { openAnnotations } from "./annotations/open-annotations.ts"
import { arePeople, poseDatasetOf, readPoseDataset } from "./annotations/pose-dataset.ts"
import { readCifar10 } from "./cifar10.ts"
import { type AnyDataset, isPictures, type PictureDataset } from "./dataset.ts"
import { readFashionMnist } from "./fashion-mnist.ts"
import { generateFigures } from "./figures/generate-figures.ts"
import { readImageFolder } from "./image-folder.ts"
import type { DatasetReader, ReadOptions } from "./reader.ts"
import { generateShapes } from "./shapes/generate.ts"
import { generateShapesDetection } from "./shapes/generate-detection.ts"

const readers = {
  cifar10: readCifar10,
  "fashion-mnist": readFashionMnist,
  images: readImageFolder,
  shapes: generateShapes,
  "shapes-detection": generateShapesDetection,
  figures: generateFigures,
  voc: (path, options) => readDetectionDataset("voc", path, options),
  coco: (path, options) => readBoxesOrPeople("coco", path, options),
  yolo: (path, options) => readBoxesOrPeople("yolo", path, options),
  mpii: (path, options) => readPoseDataset("mpii", path, options),
} as const satisfies Record<DataFormat, DatasetReader>

async function readBoxesOrPeople(
  format: AnnotationFormat,
  path: string | undefined,
  options: ReadOptions,
): Promise<PictureDataset<unknown>> {
  const { task } = options
  const opened = await openAnnotations(format, path, { ...options, wantsJoints: task === "pose" })
  const isPose = task === "pose" || (task !== "detection" && arePeople(opened))
  return isPose ? poseDatasetOf(opened, options) : detectionDatasetOf(opened, options)
}

/** What stands in `data:` and on the command line: a format and, after a colon, where the data are. */
export interface DataSpec {
  readonly format: DataFormat
  readonly path: string | undefined
}

/**
 * Takes `NAME` or `FORMAT:PATH` apart.
 *
 * @throws LearnlossError `UNKNOWN_FORMAT` with the nearest known format, `MISSING_PATH` when nothing follows the colon.
 */
export function parseDataSpec(spec: string): DataSpec {
  const colon = spec.indexOf(":")
  const name = colon < 0 ? spec : spec.slice(0, colon)
  const path = colon < 0 ? undefined : spec.slice(colon + 1)
  const format = dataFormats.find((known) => known === name)
  if (format === undefined) {
    throw new LearnlossError("UNKNOWN_FORMAT", {
      where: `data "${spec}"`,
      expected: `NAME or FORMAT:PATH with one of ${dataFormats.join(", ")}`,
      got: `"${name}"`,
      fix: suggest(spec, name, path),
    })
  }
  if (path === "") {
    throw new LearnlossError("MISSING_PATH", {
      where: `data "${spec}"`,
      expected: `${format}:PATH`,
      got: "nothing after the colon",
      fix: "Put a path there, or leave the colon out.",
    })
  }
  return { format, path }
}

/**
 * Opens the labelled images that `spec` names, e.g. `fashion-mnist`, `cifar10:some/folder`, `images:photos`, `shapes`.
 *
 * @throws LearnlossError when there are none, or when they cannot be used as they are.
 */
export async function openDataset(spec: string, options: ReadOptions): Promise<AnyDataset> {
  const { format, path } = parseDataSpec(spec)
  const dataset = await readers[format](path, options)
  for (const [split, samples] of [
    ["training", dataset.train],
    ["test", dataset.test],
  ] as const) {
    const isEnough = options.mayLackSplit === true && dataset.test.ids.length > 0
    if (samples.ids.length > 0 || isEnough) continue
    const isAnnotated = annotationFormats.some((known) => known === format)
    const unit = isPictures(dataset) && dataset.skeleton !== undefined ? "person" : "image"
    throw new LearnlossError("EMPTY_SPLIT", {
      where: `data "${spec}"`,
      expected: `at least one ${split} ${unit}${isAnnotated ? " that can be used" : ""}`,
      got: "none",
      fix: isAnnotated
        ? `\`learnloss data check ${spec}\` names what is left out and why: mend it, or name another ${split} split.`
        : "Add images: a class needs two to be split.",
    })
  }
  return dataset
}

function suggest(spec: string, name: string, path: string | undefined): string {
  if (existsSync(spec)) return `To read this, write ${likelyFormat(spec)}:${spec} (or another format before the colon).`
  const meant = nearest(name, dataFormats)
  if (meant === undefined) return "Run `learnloss data list` to see what each of them is."
  return `Did you mean ${path === undefined ? meant : `${meant}:${path}`}?`
}

/** What a folder or file looks like. */
function likelyFormat(path: string): DataFormat {
  const holds = (...names: readonly string[]): boolean => names.some((name) => existsSync(join(path, name)))
  if (path.endsWith(".mat") || holds("mpii_human_pose_v1_u12_1.mat", "annot/valid.json", "mpii_annotations.json"))
    return "mpii"
  if (path.endsWith(".json") || ["", "annotations", "train"].some((below) => holdsJson(join(path, below))))
    return "coco"
  if (holds("JPEGImages", "VOCdevkit", "VOC2007", "VOC2012")) return "voc"
  return holds("data.yaml", "classes.txt") || path.endsWith(".yaml") ? "yolo" : "images"
}

function holdsJson(folder: string): boolean {
  return (
    existsSync(folder) && statSync(folder).isDirectory() && readdirSync(folder).some((name) => name.endsWith(".json"))
  )
}
