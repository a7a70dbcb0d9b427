/**
 * Greedy non-maximum suppression: goes through boxes in the given order and keeps each that overlaps none of those kept
 * before it by more than the threshold.
 *
 * @param boxes corners x1, y1, x2, y2 of each box in turn, [N, 4], in any unit
 * @param order positions of boxes, best first; ties are the caller's to order
 * @param iouThreshold largest intersection over union that two kept boxes may have
 * @param most how many are kept at most
 * @returns the kept positions, in their order
 */
export function suppress(
  boxes: ArrayLike<number>,
  order: readonly number[],
  iouThreshold: number,
  most: number = order.length,
): number[] {
  const kept: number[] = []
  // Corners and area of each kept box side by side: the inner loop below is all the time there is.
  const corners = new Float64Array(Math.min(most, order.length) * 5)
  for (const position of order) {
    if (kept.length === most) break
    const x1 = boxes[position * 4] as number
    const y1 = boxes[position * 4 + 1] as number
    const x2 = boxes[position * 4 + 2] as number
    const y2 = boxes[position * 4 + 3] as number
    const area = (x2 - x1) * (y2 - y1)
    const end = kept.length * 5
    let isFree = true
    for (let at = 0; at < end; at += 5) {
      const width = Math.min(x2, corners[at + 2] as number) - Math.max(x1, corners[at] as number)
      if (width <= 0) continue
      const height = Math.min(y2, corners[at + 3] as number) - Math.max(y1, corners[at + 1] as number)
      if (height <= 0) continue
      const shared = width * height
      if (shared > iouThreshold * (area + (corners[at + 4] as number) - shared)) {
        isFree = false
        break
      }
    }
    if (!isFree) continue
    corners.set([x1, y1, x2, y2, area], end)
    kept.push(position)
  }
  return kept
}
