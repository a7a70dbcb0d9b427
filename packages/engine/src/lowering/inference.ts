import { conv } from "../graph/build.ts"
import type { Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

/**
 * Ways to convolve with a constant weight. `plain` leaves everything to ONNX Runtime: it folds batch normalisation into
 * the weight, blocks the weight once, and stays in its blocked layout from one convolution to the next.
 */
export const inferenceLowerings: readonly Lowering[] = [
  { name: "plain", fits: () => true, build: (product, [x, weight]) => conv(x, weight, product) },
  ...winogradLowerings("inference"),
]
