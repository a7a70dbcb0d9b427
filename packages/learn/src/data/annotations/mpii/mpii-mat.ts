import { LearnlossError } from "@learnloss/engine"
import type { Box } from "../../boxes.ts"
import type { Joint } from "../../people.ts"
import type { DefectLog } from "../defects.ts"
import { isLabelled } from "../joints.ts"
import { type MatValue, readMatVariable } from "./mat-file.ts"
import { type MpiiPerson, mpiiJoint } from "./mpii-person.ts"
import { mpiiSkeleton } from "./mpii-skeleton.ts"

/**
 * Reads the people of training images that somebody marked joints of, from MPII's official annotations
 * (`mpii_human_pose_v1_u12_1.mat`: `RELEASE.annolist` with images and `annorect`, `RELEASE.img_train`).
 *
 * @throws LearnlossError `MAT_VERSION`, `BAD_MAT`, or `BAD_MPII` for a MAT file of something else
 */
export async function readMpiiMat(path: string, log: DefectLog): Promise<MpiiPerson[]> {
  const release = await readMatVariable(path, "RELEASE")
  const images = release?.field("annolist")
  const isTraining = release?.field("img_train")?.numbers()
  if (images?.kind !== "struct" || isTraining === undefined)
    throw notMpii(path, "no RELEASE with annolist and img_train")
  if (isTraining.length !== images.count)
    throw notMpii(path, `${images.count} images, and img_train for ${isTraining.length}`)
  const people: MpiiPerson[] = []
  let without = 0
  for (const [index, training] of isTraining.entries()) {
    if (training !== 1) continue
    const rectangles = images.field("annorect", index)
    const name = images.field("image", index)?.field("name")?.text() ?? ""
    for (let number = 0; number < (rectangles?.kind === "struct" ? rectangles.count : 0); number++) {
      const person = personOf(rectangles as MatValue, number)
      if (person === undefined) without++
      else people.push({ ...person, image: name, file: path, place: `annolist(${index + 1}).annorect(${number + 1})` })
    }
  }
  if (people.length === 0) throw notMpii(path, "nobody with joints in a training image")
  if (without > 0)
    log.add("no-joints", "noted", path, `${without} people of training images are without joints: passed over`)
  return people
}

function personOf(rectangle: MatValue, index: number): Omit<MpiiPerson, "image" | "file" | "place"> | undefined {
  const number = (name: string, of: MatValue | undefined = rectangle, at = index): number =>
    of?.field(name, at)?.numbers()[0] ?? Number.NaN
  const joints = jointsOf(rectangle.field("annopoints", index)?.field("point"))
  if (joints === undefined) return undefined
  const position = rectangle.field("objpos", index)
  const box: Box = [number("x1"), number("y1"), number("x2"), number("y2")]
  return {
    center: [number("x", position, 0), number("y", position, 0)],
    scale: number("scale"),
    joints,
    headBox: box.every(Number.isFinite) ? box : null,
  }
}

function jointsOf(points: MatValue | undefined): Joint[] | undefined {
  if (points?.kind !== "struct") return undefined
  const joints: Joint[] = mpiiSkeleton.names.map(() => ({ x: 0, y: 0, visibility: 0 }))
  for (let index = 0; index < points.count; index++) {
    const number = (name: string): number | undefined => points.field(name, index)?.numbers()[0]
    const id = number("id")
    if (id !== undefined && joints[id] !== undefined)
      joints[id] = mpiiJoint(number("x"), number("y"), isHidden(points.field("is_visible", index)) ? 1 : 2)
  }
  return joints.some(isLabelled) ? joints : undefined
}

/** It is a character, a number, or nothing: of neck and head nobody was asked. */
function isHidden(visible: MatValue | undefined): boolean {
  return visible?.text() === "0" || visible?.numbers()[0] === 0
}

function notMpii(where: string, got: string): LearnlossError {
  return new LearnlossError("BAD_MPII", {
    where,
    expected: "MPII's annotations, mpii_human_pose_v1_u12_1.mat",
    got,
    fix: "Give the file as it was published, or JSON of people as HRNet has it.",
  })
}
