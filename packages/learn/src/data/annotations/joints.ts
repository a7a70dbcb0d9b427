import type { Joint, Skeleton, Visibility } from "../people.ts"

/** What the names of joints say of the left and right side. */
export interface NamedPairs {
  /** Joints of the left and right side, from 0, of the same name but for the side. */
  readonly pairs: readonly (readonly [left: number, right: number])[]
  /** Names of joints of a side that no joint of the other side answers to. */
  readonly unpaired: readonly string[]
}

/**
 * Finds joints that change places in a mirrored picture by their names, e.g. `left_knee` and `right_knee`, `l knee` and
 * `r knee`, `LKnee` and `RKnee`, `KNEE.LEFT` and `KNEE.RIGHT`.
 */
export function pairByName(names: readonly string[]): NamedPairs {
  const sides = names.map(sideOf)
  const at = (side: Side, rest: string): number[] =>
    sides.flatMap((found, index) => (found?.side === side && found.rest === rest ? [index] : []))
  const pairs: (readonly [number, number])[] = []
  for (const rest of new Set(sides.flatMap((found) => found?.rest ?? []))) {
    const [left, right] = [at("left", rest), at("right", rest)]
    if (left.length === 1 && right.length === 1) pairs.push([left[0] as number, right[0] as number])
  }
  return { pairs, unpaired: unpairedJoints({ names, pairs }) }
}

/**
 * Pairs out of a list that says of each joint which one it becomes in a mirrored picture; left is what the name says,
 * else the first.
 */
export function pairByFlip(names: readonly string[], flip: readonly number[]): (readonly [number, number])[] {
  return flip.flatMap((other, index) => {
    if (other <= index) return []
    return [sideOf(names[index] ?? "")?.side === "right" ? ([other, index] as const) : ([index, other] as const)]
  })
}

/** Names of joints that say a side and are in no pair, so that nobody can tell what they are in a mirrored picture. */
export function unpairedJoints({ names, pairs }: Pick<Skeleton, "names" | "pairs">): string[] {
  const paired = new Set(pairs.flat())
  return names.filter((name, index) => sideOf(name) !== undefined && !paired.has(index))
}

type Side = "left" | "right"
const sideWords: Readonly<Record<string, Side>> = { left: "left", l: "left", right: "right", r: "right" }

/** What a joint is called without its side, in small letters: `knee` of `LKnee`, `head top` of `head_top`. */
export function bodyPart(name: string): string {
  return sideOf(name)?.rest ?? wordsOf(name).join(" ")
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .replace(/(^|[^a-z])(left|right)(?=[a-z])/g, "$1$2 ")
    .split(/[^a-z0-9]+/)
}

function sideOf(name: string): { readonly side: Side; readonly rest: string } | undefined {
  const words = wordsOf(name)
  const place = words.findIndex((word) => Object.hasOwn(sideWords, word))
  const side = sideWords[words[place] ?? ""]
  return side === undefined ? undefined : { side, rest: words.toSpliced(place, 1).join(" ") }
}

/** Whether a person marked a joint, seen or hidden. */
export function isLabelled({ visibility }: Joint): boolean {
  return visibility > 0
}

/** A joint out of numbers of a file; one that cannot be read is labelled and at no number, for whoever checks it to tell. */
export function readJoint(x: unknown, y: unknown, visibility: unknown): Joint {
  if (visibility !== 0 && visibility !== 1 && visibility !== 2) return unreadable
  if (visibility > 0 && !(Number.isFinite(x) && Number.isFinite(y))) return unreadable
  const place = Number.isFinite(x) && Number.isFinite(y) ? { x: x as number, y: y as number } : { x: 0, y: 0 }
  return { ...place, visibility: visibility satisfies Visibility }
}

const unreadable: Joint = { x: Number.NaN, y: Number.NaN, visibility: 1 }

/** Whether two skeletons have the same joints in the same order, which change places alike. */
export function haveSameJoints(one: Skeleton, other: Skeleton): boolean {
  const shape = ({ names, pairs }: Skeleton): string => JSON.stringify([names, pairs])
  return shape(one) === shape(other)
}

const cocoNames = ["nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"].flatMap((name) =>
  name === "nose" ? [name] : [`left_${name}`, `right_${name}`],
)

/** The 17 joints of COCO's people (`person_keypoints_*.json`). */
export const cocoPerson: Skeleton = {
  names: cocoNames,
  bones: [
    [15, 13],
    [13, 11],
    [16, 14],
    [14, 12],
    [11, 12],
    [5, 11],
    [6, 12],
    [5, 6],
    [5, 7],
    [6, 8],
    [7, 9],
    [8, 10],
    [1, 2],
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 4],
    [3, 5],
    [4, 6],
  ] as const,
  pairs: pairByName(cocoNames).pairs,
}
