import { conv } from "../graph/build.ts"
import { mergedGroups } from "./merged-groups.ts"
import type { Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

/** What ONNX Runtime makes of the convolution itself. */
const plain: Lowering = {
  name: "plain",
  fits: () => true,
  build: (product, [x, weight]) => conv(x, weight, product),
}

/**
 * Ways to convolve with a constant weight. `plain` leaves everything to ONNX Runtime: it folds batch normalisation into
 * the weight, blocks the weight once, and stays in its blocked layout from one convolution to the next.
 */
export const inferenceLowerings: readonly Lowering[] = [
  plain,
  ...mergedGroups([plain]),
  ...winogradLowerings("inference"),
]
