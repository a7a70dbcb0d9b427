import type { Box } from "../../data/boxes.ts"

/** The box whose four numbers stand at a position of a list, [N, 4] flattened. */
export function boxAt(boxes: ArrayLike<number>, position: number): Box {
  const at = 4 * position
  return [boxes[at] as number, boxes[at + 1] as number, boxes[at + 2] as number, boxes[at + 3] as number]
}
