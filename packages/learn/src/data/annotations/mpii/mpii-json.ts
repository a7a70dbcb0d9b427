import { LearnlossError } from "@learnloss/engine"
import { isObject, type JsonObject } from "../coco/coco-json.ts"
import type { DefectLog } from "../defects.ts"
import { badJson, readJson } from "../json-file.ts"
import { type MpiiPerson, mpiiJoint } from "./mpii-person.ts"
import { mpiiSkeleton } from "./mpii-skeleton.ts"

/** A person with the split that its file gives it. */
export interface SplitPerson extends MpiiPerson {
  readonly split: string
}

const fix = "Give train.json and valid.json as HRNet has them, or pytorch-pose's mpii_annotations.json."

/**
 * Reads people of a JSON file: HRNet's (`image`, `center`, `scale`, `joints`, `joints_vis`) or pytorch-pose's
 * (`img_paths`, `objpos`, `scale_provided`, `joint_self`, `isValidation`).
 *
 * @param split of HRNet's people, which the file's name says
 * @throws LearnlossError `BAD_JSON`, or `MPII_JOINTS` when nobody in it has MPII's number of joints
 */
export async function readMpiiJson(path: string, split: string, log: DefectLog): Promise<SplitPerson[]> {
  const list = await readJson(path, fix)
  if (!Array.isArray(list)) throw badJson(path, "a list of people", "something else", fix)
  const people = list.flatMap((entry: unknown, index) => {
    const person = isObject(entry) ? (readHrnet(entry, split) ?? readPytorchPose(entry)) : undefined
    if (person !== undefined) return [{ ...person, file: path, place: `[${index}]` }]
    log.add("unreadable-object", "person", path, `[${index}] names no image or has no joints`)
    return []
  })
  if (people.length === 0)
    throw badJson(path, "a list of people with an image and joints", `${list.length} entries and none of them one`, fix)
  requireMpiiJoints(path, people)
  return people
}

function requireMpiiJoints(where: string, people: readonly MpiiPerson[]): void {
  const counts = [...new Set(people.map(({ joints }) => joints.length))].sort((one, other) => one - other)
  if (counts.includes(mpiiSkeleton.names.length)) return
  throw new LearnlossError("MPII_JOINTS", {
    where,
    expected: `${mpiiSkeleton.names.length} joints a person, as MPII has them`,
    got: counts.join(" or "),
    fix: "Write them as COCO keypoints, of which a category may name any number.",
  })
}

type Read = Omit<SplitPerson, "file" | "place"> | undefined

function readHrnet({ image, center, scale, joints, joints_vis: seen }: JsonObject, split: string): Read {
  if (typeof image !== "string" || !Array.isArray(joints)) return undefined
  return {
    image,
    ...placeOf(center, scale),
    // It does not tell hidden joints from seen ones; of the others some have places, which its loader passes over.
    joints: joints.map((joint: unknown, index) => {
      const isMarked = !Array.isArray(seen) || Number(seen[index]) > 0
      return Array.isArray(joint) ? mpiiJoint(joint[0], joint[1], isMarked ? 2 : 0) : mpiiJoint(undefined, undefined, 2)
    }),
    headBox: null,
    split,
  }
}

function readPytorchPose(entry: JsonObject): Read {
  const { img_paths: image, objpos, scale_provided: scale, joint_self: joints, isValidation } = entry
  if (typeof image !== "string" || !Array.isArray(joints)) return undefined
  return {
    image,
    ...placeOf(objpos, scale),
    // The third number says only whether a joint is seen; those that nobody marked stand at 0, 0.
    joints: joints.map((joint: unknown) =>
      Array.isArray(joint)
        ? mpiiJoint(joint[0], joint[1], Number(joint[2]) > 0 ? 2 : 1)
        : mpiiJoint(undefined, undefined, 2),
    ),
    headBox: null,
    split: isValidation === 1 || isValidation === true ? "valid" : "train",
  }
}

function placeOf(center: unknown, scale: unknown): Pick<MpiiPerson, "center" | "scale"> {
  const [x, y] = Array.isArray(center) ? (center as unknown[]) : []
  const number = (value: unknown): number => (typeof value === "number" ? value : Number.NaN)
  return { center: [number(x), number(y)], scale: number(scale) }
}
