import { totalmem } from "node:os"
import { basename, join, relative, sep } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import type { ClassificationDataset, SampleSet } from "./dataset.ts"
import { decodeImages } from "./decode-images.ts"
import { type ClassFolder, isSplitFolder, listClassFolders, listEntries } from "./list-class-folders.ts"
import { measureNormalization } from "./normalization.ts"
import type { DataDefect, ReadOptions } from "./reader.ts"
import { requireUniqueIds, sampleSet, subset } from "./sample-set.ts"
import { stratifiedSplit } from "./stratified-split.ts"

/** Share of each class that becomes test images when the folder has no `test/`. */
const testShare = 0.2

interface FileList {
  readonly paths: readonly string[]
  readonly targets: readonly number[]
}

/**
 * Reads a folder of images, `class/image` or `train/class/image` and `test/class/image`, into RGB images of one size;
 * without `test/`, a fifth of each class is drawn for it. The normalisation is measured on the training images.
 *
 * @throws LearnlossError for a missing folder, fewer than two classes, a class without images or any image that cannot
 * be decoded; everything found wrong is told to `onDefect` before.
 */
export async function readImageFolder(path: string | undefined, options: ReadOptions): Promise<ClassificationDataset> {
  if (path === undefined) {
    throw new LearnlossError("MISSING_PATH", {
      where: 'data "images"',
      expected: "images:DIR",
      got: "no folder",
      fix: "Put the folder that holds a folder for each class after a colon.",
    })
  }
  const report = (defect: DataDefect): void => options.onDefect?.(defect)
  const { train: trainFolders, test: testFolders } = await listSplits(path, report)
  const classNames = trainFolders.map((folder) => folder.className)
  requireClasses(path, [...trainFolders, ...testFolders], classNames, report)

  const trainFiles = listFiles(trainFolders, classNames)
  const testFiles = listFiles(testFolders, classNames)
  const all = [...trainFiles.paths, ...testFiles.paths]
  requireMemory(path, all.length, options.imageSize)
  const images = await decodeImages(path, all, options)

  const ids = all.map((file) => relative(path, file).split(sep).join("/").normalize("NFC"))
  const trainCount = trainFiles.paths.length
  const read = sampleSet(path, ids.slice(0, trainCount), trainFiles.targets, images.slice(0, trainCount))
  let train: SampleSet<number> = read
  let test = sampleSet(path, ids.slice(trainCount), testFiles.targets, images.slice(trainCount))
  if (testFolders.length === 0) {
    const split = stratifiedSplit(read.targets, classNames, testShare, options.rng.child("split"))
    train = subset(read, split.train)
    test = subset(read, split.test)
  }
  requireUniqueIds(path, train, test)
  const imageShape = { channels: 3, height: options.imageSize, width: options.imageSize }
  return {
    name: `images:${path}`,
    imageShape,
    classNames,
    normalization: measureNormalization(train, imageShape),
    train,
    test,
  }
}

async function listSplits(
  path: string,
  report: (defect: DataDefect) => void,
): Promise<{ readonly train: readonly ClassFolder[]; readonly test: readonly ClassFolder[] }> {
  const entries = await listEntries(path)
  const [hasTrain, hasTest] = [await isSplitFolder(path, "train"), await isSplitFolder(path, "test")]
  if (!hasTrain && !hasTest) return { train: await listClassFolders(path, report), test: [] }
  if (!hasTrain) {
    throw new LearnlossError("MISSING_SPLIT", {
      where: path,
      expected: "a folder train/ with class folders beside test/",
      got: "test/ alone",
      fix: "Add train/, or move the class folders of test/ up to have them split.",
    })
  }
  const used = hasTest ? ["train", "test"] : ["train"]
  for (const { name } of entries) {
    if (used.includes(name)) continue
    report({ file: join(path, name), reason: "neither train/ nor test/ with class folders: left out", isFatal: false })
  }
  return {
    train: await listClassFolders(join(path, "train"), report),
    test: hasTest ? await listClassFolders(join(path, "test"), report) : [],
  }
}

function requireClasses(
  path: string,
  folders: readonly ClassFolder[],
  classNames: readonly string[],
  report: (defect: DataDefect) => void,
): void {
  if (classNames.length < 2) {
    throw new LearnlossError("TOO_FEW_CLASSES", {
      where: path,
      expected: "a folder for each of at least two classes",
      got: classNames.length === 0 ? "no class folder" : `"${classNames[0]}" alone`,
      fix: "Sort the images into folders named as their classes and give the folder above.",
    })
  }
  const empty = folders.filter((folder) => folder.files.length === 0)
  for (const folder of empty) report({ file: folder.path, reason: "a class folder without images", isFatal: true })
  const strangers = folders.filter((folder) => !classNames.includes(folder.className))
  for (const folder of strangers) report({ file: folder.path, reason: "a class missing in train/", isFatal: true })
  const wrong = [...empty, ...strangers][0]
  if (wrong === undefined) return
  throw new LearnlossError(empty.length > 0 ? "EMPTY_CLASS" : "UNKNOWN_CLASS", {
    where: wrong.path,
    expected: empty.length > 0 ? "images in every class folder" : "only classes that train/ has",
    got: empty.length > 0 ? "none" : `"${basename(wrong.path)}"`,
    fix: "Add images to both splits or remove the folder.",
  })
}

function listFiles(folders: readonly ClassFolder[], classNames: readonly string[]): FileList {
  return {
    paths: folders.flatMap((folder) => folder.files.map((file) => join(folder.path, file))),
    targets: folders.flatMap((folder) => folder.files.map(() => classNames.indexOf(folder.className))),
  }
}

function requireMemory(path: string, count: number, side: number): void {
  const bytes = count * 3 * side * side
  const limit = totalmem() / 2
  if (bytes <= limit) return
  throw new LearnlossError("DATA_TOO_LARGE", {
    where: path,
    expected: `decoded images of at most ${Math.floor(limit / 2 ** 20)} MiB, half of this machine's memory`,
    got: `${count} images of ${side}x${side}: ${Math.ceil(bytes / 2 ** 20)} MiB`,
    fix: "Lower imageSize.",
  })
}
