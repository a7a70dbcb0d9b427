import { join, relative } from "node:path"
import type { AnnotatedImage, AnnotatedSet } from "../annotated-set.ts"
import type { DefectLog } from "../defects.ts"
import { isFile, safePath } from "../folder.ts"
import { inspectImage } from "../image-file.ts"
import { mapInOrder, type SetReadOptions } from "../set-reader.ts"
import { findMpii } from "./find-mpii.ts"
import { readMpiiJson, type SplitPerson } from "./mpii-json.ts"
import { readMpiiMat } from "./mpii-mat.ts"
import { type MpiiPerson, objectOf } from "./mpii-person.ts"
import { mpiiSkeleton } from "./mpii-skeleton.ts"

/**
 * Reads MPII Human Pose: the official MAT file, the JSON files of HRNet or of pytorch-pose, or both together, where the
 * JSON says who is validated on and the MAT file how large heads are. Without JSON all are in the split `train`.
 *
 * @param path a folder, or one of the files
 * @throws LearnlossError `NO_ANNOTATIONS`, `BAD_JSON`, `MPII_JOINTS`, `MAT_VERSION`, `BAD_MAT`, `BAD_MPII`
 */
export async function readMpiiSet(path: string, options: SetReadOptions): Promise<AnnotatedSet> {
  const { folder, mat, json } = await findMpii(path)
  const { log } = options
  const listed: SplitPerson[] = []
  for (const file of json) listed.push(...(await readMpiiJson(file.path, file.split, log)))
  const official = mat === undefined ? [] : await readMpiiMat(mat, log)
  const people = merge(listed, official)
  if (mat !== undefined) noteHeads(mat, people, log)
  const byImage = groupByImage(keepApart(people, log))
  const images = await mapInOrder([...byImage], options, ([name, own], imageLog) =>
    readImage(folder, name, own, imageLog, options.decodes === true),
  )
  const splits = new Map<string, string[]>()
  for (const [index, [, own]] of [...byImage].entries()) {
    const split = own[0]?.split ?? "train"
    splits.set(split, [...(splits.get(split) ?? []), (images[index] as AnnotatedImage).id])
  }
  return {
    format: "mpii",
    folder,
    classNames: ["person"],
    skeletons: new Map([["person", mpiiSkeleton]]),
    images,
    splits,
  }
}

/** JSON's people with head boxes of the MAT file; where only `valid` is listed, the other images are trained on. */
function merge(listed: readonly SplitPerson[], official: readonly MpiiPerson[]): SplitPerson[] {
  if (listed.length === 0) return official.map((person) => ({ ...person, split: "train" }))
  const byName = groupByImage(official)
  const matched = listed.map((person) => ({
    ...person,
    headBox: samePerson(person, byName.get(person.image) ?? [])?.headBox ?? null,
  }))
  if (listed.some(({ split }) => split !== "valid")) return matched
  const validated = new Set(listed.map(({ image }) => image))
  const others = official.filter(({ image }) => !validated.has(image))
  return [...others.map((person) => ({ ...person, split: "train" })), ...matched]
}

/** Both files have centres and scales from the same place, rounded at most. */
function samePerson({ center, scale }: MpiiPerson, others: readonly MpiiPerson[]): MpiiPerson | undefined {
  const distance = (other: MpiiPerson): number =>
    Math.hypot(other.center[0] - center[0], other.center[1] - center[1]) + 200 * Math.abs(other.scale - scale)
  const near = others.filter((other) => distance(other) < 2)
  return near.sort((one, other) => distance(one) - distance(other))[0]
}

function noteHeads(mat: string, people: readonly MpiiPerson[], log: DefectLog): void {
  const without = people.filter(({ headBox }) => headBox === null).length
  if (without === 0) return
  const finding = `${without} of ${people.length} people have no head box here: from neck to head top is taken`
  log.add("no-head-box", "noted", mat, finding)
}

/** People whose image is validated on are not trained on. */
function keepApart(people: readonly SplitPerson[], log: DefectLog): SplitPerson[] {
  const validated = new Set(people.filter(({ split }) => split === "valid").map(({ image }) => image))
  return people.filter(({ image, split, file, place }) => {
    const isRepeated = split !== "valid" && validated.has(image)
    if (isRepeated && split === "train")
      log.add("duplicate-image", "person", file, `${place}: ${image} is among the validated images`)
    return !isRepeated
  })
}

/** People by image, in the order of their images. */
function groupByImage<Person extends MpiiPerson>(people: readonly Person[]): Map<string, Person[]> {
  const groups = new Map<string, Person[]>()
  for (const person of people) {
    const group = groups.get(person.image)
    if (group === undefined) groups.set(person.image, [person])
    else group.push(person)
  }
  return groups
}

async function readImage(
  folder: string,
  name: string,
  people: readonly SplitPerson[],
  log: DefectLog,
  decodes: boolean,
): Promise<AnnotatedImage> {
  const annotation = people[0]?.file ?? name
  const path = await locateImage(folder, name, annotation, log)
  const id = path === null ? name : relative(folder, path).replaceAll("\\", "/").normalize("NFC")
  const header = path === null ? undefined : await inspectImage(id, path, log, decodes)
  const { width = 0, height = 0 } = header ?? {}
  return { id, path, width, height, annotation, objects: people.map(objectOf) }
}

async function locateImage(folder: string, name: string, file: string, log: DefectLog): Promise<string | null> {
  const safe = safePath(name)
  if (safe === undefined) {
    log.spoil(name, "unsafe-path", file, `image ${JSON.stringify(name)} leads out of the folder, and is not followed`)
    return null
  }
  for (const below of ["images", "."]) {
    const path = join(folder, below, safe)
    if (await isFile(path)) return path
  }
  log.spoil(name, "missing-image", file, `no image ${name} in ${folder} or its images/`)
  return null
}
