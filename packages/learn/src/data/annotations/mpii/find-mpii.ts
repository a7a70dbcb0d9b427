import { basename, dirname, extname, join } from "node:path"
import { isFile, isFolder, listFiles, listFolders, nothingToRead } from "../folder.ts"

/** The files that say something of MPII's people. */
export interface MpiiFiles {
  /** The folder that holds `images/`, else that of the files. */
  readonly folder: string
  readonly mat: string | undefined
  /** JSON files of people, with the split that their names say. */
  readonly json: readonly { readonly path: string; readonly split: string }[]
}

const jsonNames = ["mpii_annotations.json", "train.json", "valid.json", "trainval.json"] as const
const matName = /^mpii_human_pose.*\.mat$/i

/**
 * Finds MPII's annotations: one file, or in a folder or those below it the official MAT file and the JSON files of HRNet or
 * pytorch-pose. Where `train.json` is, `trainval.json` is passed over, for it says the same.
 *
 * @throws LearnlossError `NO_ANNOTATIONS`
 */
export async function findMpii(path: string): Promise<MpiiFiles> {
  if (await isFile(path)) {
    const folder = await folderOf(dirname(path))
    if (extname(path).toLowerCase() === ".mat") return { folder, mat: path, json: [] }
    return { folder, mat: undefined, json: [withSplit(path)] }
  }
  const found: string[] = []
  for (const below of ["", ...(await listFolders(path))])
    found.push(...(await listFiles(join(path, below))).map((name) => join(path, below, name)))
  const json = jsonNames.flatMap((name) => found.find((file) => basename(file) === name) ?? [])
  const mat = found.find((file) => matName.test(basename(file)))
  if (json.length > 0 || mat !== undefined)
    return { folder: await folderOf(path), mat, json: withoutRepeats(json.map(withSplit)) }
  throw nothingToRead(
    `mpii:${path}`,
    `mpii_human_pose_v1_u12_1.mat, or one of ${jsonNames.join(", ")}, in the folder or one below it`,
    (await isFolder(path))
      ? "Give the folder that holds the annotations, or one of these files."
      : "There is no such folder.",
  )
}

function withSplit(path: string): { readonly path: string; readonly split: string } {
  return { path, split: basename(path, extname(path)) }
}

/** Each person once: pytorch-pose's file has everybody, and `trainval` whom `train` and `valid` have. */
function withoutRepeats<File extends { readonly split: string }>(files: readonly File[]): readonly File[] {
  const has = (split: string): boolean => files.some((file) => file.split === split)
  if (has("mpii_annotations")) return files.filter(({ split }) => split === "mpii_annotations")
  return has("train") ? files.filter(({ split }) => split !== "trainval") : files
}

async function folderOf(start: string): Promise<string> {
  const holdsImages = await isFolder(join(start, "images"))
  return !holdsImages && (await isFolder(join(dirname(start), "images"))) ? dirname(start) : start
}
