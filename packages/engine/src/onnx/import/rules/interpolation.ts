import type { NodeView } from "../rule.ts"

/** One resized axis: its lengths before and after, and their ratio as ONNX Runtime computes it, in float32. */
export interface ResizedAxis {
  readonly axis: number
  readonly from: number
  readonly to: number
  readonly scale: number
  /** The part of the axis that `tf_crop_and_resize` reads, as shares of its length; all of it where it is left out. */
  readonly crop?: readonly [start: number, end: number]
}

/** What each new position is made of: old positions with their shares, none where it lies outside a cropped axis. */
export type Shares = readonly (readonly { readonly position: number; readonly share: number }[])[]

const f = Math.fround

/** Where a new position lies among the old ones, by ONNX's name of the mode; float32 throughout, which decides ties. */
const origins: Readonly<Record<string, (position: number, resized: ResizedAxis) => number>> = {
  half_pixel: (position, { scale }) => f(f(f(position + 0.5) / scale) - 0.5),
  pytorch_half_pixel: (position, { scale, to }) => (to > 1 ? f(f(f(position + 0.5) / scale) - 0.5) : 0),
  half_pixel_symmetric: (position, { scale, from, to }) => {
    const adjustment = f(to / f(scale * from))
    const offset = f(f(from / 2) * f(1 - adjustment))
    return f(f(offset + f(f(position + 0.5) / scale)) - 0.5)
  },
  align_corners: (position, { from, to }) => (to === 1 ? 0 : f(f(position * (from - 1)) / (to - 1))),
  asymmetric: (position, { scale }) => f(position / scale),
  tf_half_pixel_for_nn: (position, { scale }) => f(f(position + 0.5) / scale),
  tf_crop_and_resize: (position, { from, to, crop: [start, end] = [0, 1] }) =>
    to > 1
      ? f(f(start * (from - 1)) + f(f(f(position * f(end - start)) * (from - 1)) / (to - 1)))
      : f(f(0.5 * f(start + end)) * (from - 1)),
}

/** How `nearest` chooses one of two old positions. */
const choices: Readonly<Record<string, (origin: number) => number>> = {
  round_prefer_floor: (origin) => Math.ceil(origin - 0.5),
  round_prefer_ceil: (origin) => Math.floor(origin + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/** Keys 1981, equation 4: the share of a position at a distance, with the free coefficient a. */
function cubicShare(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}

/**
 * Shares under a kernel as wide as a new position, so that every old position counts where an axis shrinks. What lies
 * outside is left out or counts for the edge; either way the shares add up to one over all that the kernel covers.
 */
function widenedShares(view: NodeView, mode: string, { from, scale }: ResizedAxis, at: number): Shares[number] {
  const a = view.float("cubic_coeff_a", -0.75)
  const width = Math.max(1, f(1 / scale))
  const support = f((mode === "cubic" ? 2 : 1) * width)
  const center = f(at + 0.5)
  const [first, end] = [f(f(center - support) + 0.5), f(f(center + support) + 0.5)].map(Math.floor) as [number, number]
  const covered = Array.from({ length: end - first }, (_, index) => {
    const distance = Math.abs((first + index + 0.5 - center) / width)
    const share = mode === "cubic" ? cubicShare(distance, a) : Math.max(0, 1 - distance)
    return { position: first + index, share }
  })
  const isOutsideExcluded = view.int("exclude_outside", 0) !== 0
  const counted = isOutsideExcluded ? covered.filter(({ position }) => position >= 0 && position < from) : covered
  const total = counted.reduce((sum, { share }) => sum + share, 0) || 1
  return counted.map(({ position, share }) => ({
    position: Math.min(Math.max(position, 0), from - 1),
    share: share / total,
  }))
}

/** The shares of old positions in each new one along an axis, as the node's attributes ask. */
export function interpolation(view: NodeView, resized: ResizedAxis): Shares {
  const { from, to } = resized
  const mode = view.string("mode", "nearest")
  const coordinates = view.string("coordinate_transformation_mode", "half_pixel")
  const origin = origins[coordinates]
  if (origin === undefined) {
    return view.fail(`coordinate_transformation_mode ${Object.keys(origins).join(", ")}`, coordinates)
  }
  const isOutsideExcluded = view.int("exclude_outside", 0) !== 0
  const bounded = (position: number) => Math.min(Math.max(position, 0), from - 1)
  const choose = choices[view.string("nearest_mode", "round_prefer_floor")]
  const a = view.float("cubic_coeff_a", -0.75)
  const isWidened = view.int("antialias", 0) !== 0 && (mode === "linear" || mode === "cubic")
  const sharesAt = (at: number) => {
    if (coordinates === "tf_crop_and_resize" && (at < 0 || at > from - 1)) return []
    if (isWidened) return widenedShares(view, mode, resized, at)
    switch (mode) {
      case "nearest": {
        if (choose === undefined) return view.fail("a known nearest_mode", view.string("nearest_mode", ""))
        return [{ position: bounded(choose(at)), share: 1 }]
      }
      case "linear": {
        const inside = bounded(at)
        const low = Math.floor(inside)
        const share = inside - low
        return share === 0
          ? [{ position: low, share: 1 }]
          : [
              { position: low, share: 1 - share },
              { position: low + 1, share },
            ]
      }
      case "cubic": {
        const low = Math.floor(at)
        const all = [-1, 0, 1, 2].map((step) => ({ position: low + step, share: cubicShare(at - low - step, a) }))
        if (!isOutsideExcluded) return all.map(({ position, share }) => ({ position: bounded(position), share }))
        const inside = all.filter(({ position }) => position >= 0 && position < from)
        const total = inside.reduce((sum, { share }) => sum + share, 0)
        return inside.map(({ position, share }) => ({ position, share: share / total }))
      }
      default:
        return view.fail("mode nearest, linear or cubic", mode)
    }
  }
  return Array.from({ length: to }, (_, position) => sharesAt(origin(position, resized)))
}
