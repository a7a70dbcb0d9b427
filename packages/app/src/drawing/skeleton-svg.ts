import type { Box } from "@learnloss/learn"

/** Which side of a body a joint is on, as the person would say it. */
export const bodySides = ["left", "right", "middle"] as const
export type BodySide = (typeof bodySides)[number]

/** Colours that are told apart on photographs, also by colour-blind people. */
export const sideColours = { left: "#29c4ff", right: "#ff8a1f", middle: "#ffffff" } as const satisfies Record<
  BodySide,
  string
>

/** What a hollow joint means: nothing shows it to the person who marked it, or a network is not sure of it. */
export type HollowMeaning = "hidden" | "unsure"

/** A joint as it is drawn over a picture. */
export interface DrawnJoint {
  /** In pixels of the picture as it is drawn. */
  readonly x: number
  readonly y: number
  readonly side: BodySide
  /** Drawn as a ring, see {@link HollowMeaning}. */
  readonly isHollow: boolean
}

/** The joints of one person and the bones between them as they are drawn over a picture. */
export interface DrawnSkeleton {
  /** Null where a joint is not known; its bones are left out. */
  readonly joints: readonly (DrawnJoint | null)[]
  /** Pairs of joints, from 0. */
  readonly bones: readonly (readonly [number, number])[]
  /** What a hollow joint means. */
  readonly hollow: HollowMeaning
  /** The part of the picture that a network is shown, in dashes. */
  readonly frame?: Box
  /** Drawn faintly: who else is in the picture. */
  readonly isFaint?: boolean
}

const faintOpacity = 0.45
const rim = "#000000"
/** A line's width is at most this share of the skeleton's longer side, lest small people vanish behind it. */
const widthShare = 1 / 40
const leastWidth = 1

/**
 * Skeletons as SVG elements over a picture: bones in the colour of their side, dashed where they lead to a hollow joint,
 * on a dark rim so that they are seen on any ground. The faint ones lie below the others.
 */
export function skeletonsSvg(
  skeletons: readonly DrawnSkeleton[],
  { lineWidth }: { readonly lineWidth: number },
): string {
  return skeletons
    .toSorted((a, b) => Number(b.isFaint ?? false) - Number(a.isFaint ?? false))
    .map((skeleton) => {
      const drawn = `${frameSvg(skeleton, lineWidth)}${bonesAndJointsSvg(skeleton, lineWidth)}`
      return skeleton.isFaint === true ? `<g opacity="${faintOpacity}">${drawn}</g>` : drawn
    })
    .join("")
}

/** A skeleton in a picture that was brought to another size. */
export function scaleSkeleton(skeleton: DrawnSkeleton, across: number, down: number): DrawnSkeleton {
  const { joints, frame } = skeleton
  return {
    ...skeleton,
    joints: joints.map((joint) => joint && { ...joint, x: joint.x * across, y: joint.y * down }),
    ...(frame && { frame: [frame[0] * across, frame[1] * down, frame[2] * across, frame[3] * down] }),
  }
}

function bonesAndJointsSvg({ joints, bones }: DrawnSkeleton, lineWidth: number): string {
  const known = joints.filter((joint) => joint !== null)
  const width = Math.max(leastWidth, Math.min(lineWidth, widthShare * longerSide(known)))
  const lines = bones.flatMap(([from, to]) => {
    const [start, end] = [joints[from], joints[to]]
    return start && end ? [{ start, end, colour: sideColours[sideOf(start, end)] }] : []
  })
  const line = (colour: string, strokeWidth: number, { start, end }: (typeof lines)[number], more: string) =>
    `<line x1="${round(start.x)}" y1="${round(start.y)}" x2="${round(end.x)}" y2="${round(end.y)}" stroke="${colour}" stroke-width="${round(strokeWidth)}" ${more}/>`
  const dashes = (bone: (typeof lines)[number]) =>
    bone.start.isHollow || bone.end.isHollow ? `stroke-dasharray="${round(2.5 * width)} ${round(1.5 * width)}"` : ""
  return [
    ...lines.map((bone) => line(rim, width + 1.6, bone, `stroke-opacity="0.6" stroke-linecap="round"`)),
    ...lines.map((bone) => line(bone.colour, width, bone, dashes(bone))),
    ...known.map((joint) => jointSvg(joint, width)),
  ].join("")
}

function jointSvg({ x, y, side, isHollow }: DrawnJoint, width: number): string {
  const radius = round(1.1 * width + 0.6)
  const colour = sideColours[side]
  return isHollow
    ? `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${rim}" stroke="${colour}" stroke-width="${round(0.6 * width + 0.2)}"/>`
    : `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${colour}" stroke="${rim}" stroke-width="0.9"/>`
}

function frameSvg({ frame }: DrawnSkeleton, lineWidth: number): string {
  if (frame === undefined) return ""
  const [x1, y1, x2, y2] = frame
  const place = `x="${round(x1)}" y="${round(y1)}" width="${round(x2 - x1)}" height="${round(y2 - y1)}" fill="none"`
  const line = (colour: string, offset: number) =>
    `<rect ${place} stroke="${colour}" stroke-width="${round(lineWidth / 2)}" stroke-dasharray="${2 * lineWidth}" stroke-dashoffset="${offset}"/>`
  return `${line(rim, 0)}${line("#ffffff", 2 * lineWidth)}`
}

/** A bone between sides is on the side of its outer end. */
function sideOf(start: DrawnJoint, end: DrawnJoint): BodySide {
  if (start.side === "middle" || start.side === end.side) return end.side
  return end.side === "middle" ? start.side : "middle"
}

function longerSide(joints: readonly DrawnJoint[]): number {
  const [xs, ys] = [joints.map(({ x }) => x), joints.map(({ y }) => y)]
  return joints.length === 0 ? 0 : Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
