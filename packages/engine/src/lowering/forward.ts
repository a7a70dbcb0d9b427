import { conv } from "../graph/build.ts"
import { blockedProduct, blockWeight, canBlock, channelBlocks } from "./blocked.ts"
import { depthwiseLowerings } from "./depthwise.ts"
import { mergedGroups } from "./merged-groups.ts"
import { pointwiseLowerings } from "./pointwise.ts"
import type { Lowering } from "./product.ts"
import { winogradLowerings } from "./winograd.ts"

const blocked: readonly Lowering[] = channelBlocks.map(
  (block): Lowering => ({
    name: `blocked-${block}`,
    channelBlock: block,
    fits: ({ weightShape, group }) =>
      canBlock(block, weightShape[1] as number, (weightShape[0] as number) / group, group),
    build: (product, [x, weight]) => blockedProduct(x, blockWeight(weight, block), block, product),
  }),
)

export const forwardLowerings: readonly Lowering[] = [
  { name: "plain", fits: () => true, build: (product, [x, weight]) => conv(x, weight, product) },
  ...blocked,
  ...pointwiseLowerings("forward"),
  ...depthwiseLowerings("forward"),
  ...mergedGroups(blocked),
  ...winogradLowerings("forward"),
]
