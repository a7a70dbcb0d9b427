import type { Box } from "../boxes.ts"
import type { Joint, PersonTarget, Skeleton } from "../people.ts"
import { type Affine, transform } from "./warp.ts"

interface Size {
  readonly width: number
  readonly height: number
}

/** The same person in the same picture at another size. */
export function scalePerson(target: PersonTarget, width: number, height: number): PersonTarget {
  const [xx, yy] = [width / target.width, height / target.height]
  return transformPerson(target, { xx, xy: 0, x0: 0, yx: 0, yy, y0: 0 }, { width, height })
}

/** The same person where a transformation takes the picture, into one of this size; a box is what holds the turned one. */
export function transformPerson(target: PersonTarget, to: Affine, { width, height }: Size): PersonTarget {
  const { crop, box, area, head, imageId } = target
  const growth = Math.abs(to.xx * to.yy - to.xy * to.yx)
  const center = transform(to, ...crop.center)
  return {
    width,
    height,
    joints: target.joints.map(({ x, y, visibility }) => ({ ...transform(to, x, y), visibility })),
    crop: { center: [center.x, center.y], side: crop.side * Math.sqrt(growth) },
    box: box && boxAround(box, to),
    area: area && area * growth,
    head: head && { ...head, length: head.length * Math.sqrt(growth) },
    imageId,
  }
}

/** The joints of a person in a mirror, where what is left is right. */
export function swapSides(joints: readonly Joint[], pairs: Skeleton["pairs"]): readonly Joint[] {
  const swapped = [...joints]
  for (const [left, right] of pairs) {
    swapped[left] = joints[right] as Joint
    swapped[right] = joints[left] as Joint
  }
  return swapped
}

function boxAround([x1, y1, x2, y2]: Box, to: Affine): Box {
  const corners = [transform(to, x1, y1), transform(to, x2, y1), transform(to, x1, y2), transform(to, x2, y2)]
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
