import type { Value } from "../graph/graph.ts"

/** The first `height` rows and `width` columns of [N, C, H, W]; the value itself where that is all of it. */
export function crop(x: Value, height: number, width: number): Value {
  if (x.shape[2] === height && x.shape[3] === width) return x
  return x.graph.add("Slice", [x], { starts: [0, 0], ends: [height, width], axes: [2, 3], steps: [1, 1] })[0] as Value
}
