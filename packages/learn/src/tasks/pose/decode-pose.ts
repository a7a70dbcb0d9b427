import type { Pose } from "../../data/people.ts"
import type { Heatmaps } from "../../models/model.ts"

/** Heights below this are taken for it before the logarithm. */
export const leastHeight = 1e-10

/**
 * Joints where heat-maps are highest, the first of equal pixels, found between pixels: the logarithm of a Gaussian is a
 * parabola, so its middle follows from the peak and its neighbours along each axis. It is moved by half a pixel at most, and
 * not at all along an axis where the peak stands at the edge.
 *
 * @param maps [J, H, W], flattened
 */
export function decodePose(maps: Float32Array, { joints, height, width }: Omit<Heatmaps, "stacks">): Pose {
  const found = Array.from({ length: joints }, (_, joint) => peakOf(maps, joint * height * width, height, width))
  return { joints: found, score: found.reduce((sum, { score }) => sum + score, 0) / joints }
}

function peakOf(maps: Float32Array, start: number, height: number, width: number): Pose["joints"][number] {
  let best = start
  for (let at = start + 1; at < start + height * width; at++) {
    if ((maps[at] as number) > (maps[best] as number)) best = at
  }
  const column = (best - start) % width
  const row = (best - start - column) / width
  const along = (position: number, length: number, step: number): number => {
    const isInner = position > 0 && position < length - 1
    return (position + (isInner ? peakShift(maps, best, step) : 0) + 0.5) / length
  }
  const score = Math.min(Math.max(maps[best] as number, 0), 1)
  return { x: along(column, width, 1), y: along(row, height, width), score }
}

/** How far the vertex of the parabola through three logarithms lies from the middle one, -0.5..0.5. */
function peakShift(maps: Float32Array, middle: number, step: number): number {
  const logarithm = (at: number): number => Math.log(Math.max(maps[at] as number, leastHeight))
  const [before, top, after] = [logarithm(middle - step), logarithm(middle), logarithm(middle + step)]
  const bend = 2 * top - before - after
  return bend > 0 ? Math.min(Math.max((after - before) / (2 * bend), -0.5), 0.5) : 0
}
