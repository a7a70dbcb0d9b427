import type { Rng } from "@learnloss/engine"
import type { Side } from "./figure-skeleton.ts"

/** How a limb is held, in degrees. */
export interface LimbAngles {
  /** Forwards from hanging down; 180 is straight up. */
  readonly swing: number
  /** Outwards. */
  readonly spread: number
  /** Of elbow or knee; 0 is stretched. */
  readonly bend: number
  /** How far inwards the forearm bends, and not forwards. */
  readonly twist: number
}

/** How a body is held and seen, in degrees. */
export interface Posture {
  /** About the upright axis: 0 faces the viewer, 180 shows the back. */
  readonly yaw: number
  /** In the plane of the picture. */
  readonly roll: number
  /** Of the camera, from above or below. */
  readonly tilt: number
  /** Of the trunk: forwards and to the left. */
  readonly pitch: number
  readonly lean: number
  /** Of the head. */
  readonly nod: number
  readonly turn: number
  readonly arms: Readonly<Record<Side, LimbAngles>>
  readonly legs: Readonly<Record<Side, LimbAngles>>
}

type Draw = (mean: number, deviation: number) => number
type Limbs = Readonly<Record<Side, LimbAngles>>
type Held = Pick<Posture, "arms" | "legs"> & Partial<Posture>

const down = (n: Draw): LimbAngles => ({ swing: n(4, 14), spread: n(12, 7), bend: n(18, 14), twist: n(30, 20) })
const raised = (n: Draw): LimbAngles => ({ swing: n(160, 18), spread: n(12, 12), bend: n(24, 20), twist: n(0, 30) })
const sideways = (n: Draw): LimbAngles => ({ swing: n(0, 15), spread: n(85, 18), bend: n(30, 28), twist: n(-20, 50) })
const standing = (n: Draw): LimbAngles => ({ swing: n(0, 6), spread: n(6, 4), bend: n(6, 5), twist: 0 })
const gestures: readonly Weighted<(n: Draw) => LimbAngles>[] = [
  [40, down],
  [14, (n) => ({ swing: n(65, 25), spread: n(10, 14), bend: n(40, 28), twist: n(20, 30) })],
  [12, raised],
  [12, sideways],
  // Hands on the hips.
  [12, (n) => ({ swing: n(-18, 7), spread: n(45, 7), bend: n(95, 10), twist: n(70, 12) })],
  [10, (n) => ({ swing: n(18, 14), spread: n(15, 8), bend: n(112, 18), twist: n(30, 25) })],
]

type Weighted<T> = readonly [weight: number, item: T]

/** What people do, from frequent to rare: what is rare is also hard, so that there is something to look for. */
const postures: readonly Weighted<(n: Draw, rng: Rng) => Held>[] = [
  [40, (n, rng) => ({ arms: drawArms(n, rng), legs: both(() => standing(n)) })],
  [24, (n, rng) => walking(n, rng)],
  [
    9,
    (n) => ({
      arms: both(() => (n(0, 1) < 0 ? raised(n) : sideways(n))),
      legs: both(() => ({ ...standing(n), spread: n(26, 7) })),
    }),
  ],
  [
    8,
    (n, rng) => ({
      arms: drawArms(n, rng),
      legs: both(() => ({ swing: n(84, 9), spread: n(8, 6), bend: n(88, 11), twist: 0 })),
    }),
  ],
  [6, (n, rng) => kicking(n, rng)],
  [
    5,
    (n, rng) => ({
      arms: drawArms(n, rng),
      legs: both(() => ({ swing: n(112, 11), spread: n(15, 9), bend: n(128, 10), twist: 0 })),
      pitch: n(32, 13),
    }),
  ],
  [
    3,
    (n) => ({
      arms: both(() => ({ swing: n(85, 20), spread: n(8, 8), bend: n(20, 15), twist: 0 })),
      legs: both(() => standing(n)),
      pitch: n(78, 14),
    }),
  ],
  [3, (n, rng) => ({ ...walking(n, rng), roll: n(90, 10) * (rng.float() < 0.5 ? 1 : -1) })],
  // Upside down, on the hands.
  [
    2,
    (n) => ({
      arms: both(() => raised(n)),
      legs: both(() => ({ ...standing(n), swing: n(0, 22), spread: n(14, 10) })),
      roll: n(180, 13),
    }),
  ],
]

/** Where people turn: to the viewer, away, or to a side. */
const directions: readonly Weighted<readonly [mean: number, deviation: number]>[] = [
  [48, [0, 22]],
  [24, [180, 22]],
  [14, [90, 20]],
  [14, [-90, 20]],
]

/** Draws how a figure is held and from where it is seen, within what a body can do. */
export function drawPosture(rng: Rng): Posture {
  const n: Draw = (mean, deviation) => mean + deviation * Math.max(-2, Math.min(rng.normal(), 2))
  const held = pick(postures, rng)(n, rng)
  return {
    yaw: n(...pick(directions, rng)),
    roll: n(0, 5),
    tilt: n(6, 6),
    pitch: n(3, 4),
    lean: n(0, 5),
    nod: n(6, 9),
    turn: n(0, 20),
    ...held,
  }
}

function walking(n: Draw, rng: Rng): Held {
  const stride = 14 + 34 * rng.float()
  const ahead: Side = rng.float() < 0.5 ? "left" : "right"
  const leg = (isAhead: boolean) =>
    isAhead
      ? { swing: n(stride, 6), spread: n(3, 3), bend: n(14 + 0.4 * stride, 9), twist: 0 }
      : { swing: n(-0.7 * stride, 5), spread: n(3, 3), bend: n(16 + stride, 12), twist: 0 }
  const arm = (isAhead: boolean) => ({
    swing: n(isAhead ? -stride : 1.1 * stride, 8),
    spread: n(9, 5),
    bend: n(22 + 1.4 * stride, 16),
    twist: n(20, 12),
  })
  return {
    arms: { left: arm(ahead === "left"), right: arm(ahead === "right") },
    legs: { left: leg(ahead === "left"), right: leg(ahead === "right") },
    pitch: n(4 + 0.25 * stride, 4),
  }
}

function kicking(n: Draw, rng: Rng): Held {
  const kicks: Side = rng.float() < 0.5 ? "left" : "right"
  const kick = { swing: n(78, 16), spread: n(16, 14), bend: n(18, 14), twist: 0 }
  const legs = both((side) => (side === kicks ? kick : standing(n)))
  return { arms: drawArms(n, rng), legs, pitch: n(-8, 8) }
}

/** Arms that do the same, or each its own. */
function drawArms(n: Draw, rng: Rng): Limbs {
  const gesture = pick(gestures, rng)
  const other = rng.float() < 0.5 ? gesture : pick(gestures, rng)
  return { left: gesture(n), right: other(n) }
}

function both(limb: (side: Side) => LimbAngles): Limbs {
  return { left: limb("left"), right: limb("right") }
}

function pick<T>(items: readonly Weighted<T>[], rng: Rng): T {
  let rest = rng.float() * items.reduce((sum, [weight]) => sum + weight, 0)
  const [, last] = items.at(-1) as Weighted<T>
  return (
    items.find(([weight]) => {
      rest -= weight
      return rest < 0
    })?.[1] ?? last
  )
}
