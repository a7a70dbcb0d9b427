import { LearnlossError } from "@learnloss/engine"
import type { Box } from "../../data/boxes.ts"
import { centerAndSize } from "./box-coding.ts"

/** From this overlap on a default box learns an object. */
const enough = 0.5

/**
 * Says for every default box which object it is to find, as SSD's reference does: the one that it overlaps most, where
 * their intersection over union is at least 0.5; and each object is given the default box that it overlaps most, however
 * little, but none where it overlaps none. Where two objects want the same one, the later is given it. Of equal overlaps
 * the first counts.
 */
export class BoxMatcher {
  readonly #corners: Float64Array
  readonly #areas: Float64Array

  /** @param defaults [P, 4] centres and sizes as shares of the image */
  constructor(defaults: Float32Array) {
    const count = defaults.length / 4
    this.#corners = new Float64Array(4 * count)
    this.#areas = new Float64Array(count)
    for (let position = 0; position < count; position++) {
      const [x, y, width, height] = centerAndSize(defaults, position)
      const [x1, y1, x2, y2] = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
      this.#corners.set([x1, y1, x2, y2], 4 * position)
      this.#areas[position] = (x2 - x1) * (y2 - y1)
    }
  }

  /**
   * @param objects corners as shares of the image's width and height
   * @returns [P] positions of the objects; -1 where the default box is background
   * @throws LearnlossError `BOX_WITHOUT_AREA`
   */
  match(objects: readonly Box[]): Int32Array {
    const count = this.#areas.length
    const best = new Float64Array(count)
    const matches = new Int32Array(count).fill(-1)
    const forced = objects.map((object, index) => {
      requireArea(object)
      return this.#overlapWith(object, index, best, matches)
    })
    for (let position = 0; position < count; position++) if ((best[position] as number) < enough) matches[position] = -1
    for (const [index, position] of forced.entries()) if (position >= 0) matches[position] = index
    return matches
  }

  /** Enters an object wherever it overlaps more than those before it; returns the default box that it overlaps most, or -1. */
  #overlapWith([x1, y1, x2, y2]: Box, index: number, best: Float64Array, matches: Int32Array): number {
    const [corners, areas] = [this.#corners, this.#areas]
    const area = (x2 - x1) * (y2 - y1)
    let [most, favourite] = [0, -1]
    for (let position = 0, at = 0; position < areas.length; position++, at += 4) {
      const width = Math.min(x2, corners[at + 2] as number) - Math.max(x1, corners[at] as number)
      if (width <= 0) continue
      const height = Math.min(y2, corners[at + 3] as number) - Math.max(y1, corners[at + 1] as number)
      if (height <= 0) continue
      const shared = width * height
      const overlap = shared / ((areas[position] as number) + area - shared)
      if (overlap > (best[position] as number)) {
        best[position] = overlap
        matches[position] = index
      }
      if (overlap > most) {
        most = overlap
        favourite = position
      }
    }
    return favourite
  }
}

function requireArea(box: Box): void {
  const [x1, y1, x2, y2] = box
  if (x2 > x1 && y2 > y1 && box.every(Number.isFinite)) return
  throw new LearnlossError("BOX_WITHOUT_AREA", {
    where: "an object to learn",
    expected: "a box with a width and a height",
    got: `corners (${x1}, ${y1}) and (${x2}, ${y2}), as shares of the image`,
    fix: "Find such boxes with `learnloss data check` and mend them, or train without them.",
  })
}
