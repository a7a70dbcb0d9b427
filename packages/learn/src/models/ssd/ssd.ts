import type { NetworkBuilder, Value } from "@learnloss/engine"
import type { Model, ModelOptions } from "../model.ts"
import { boxesPerPlace, makeDefaultBoxes, type SourceBoxes } from "./default-boxes.ts"
import { heads } from "./heads.ts"

/** What the part of a detector before its heads gives. */
export interface Sources {
  /** Feature maps, finest first, on which boxes are predicted. */
  readonly maps: readonly Value[]
  /** [B, D] */
  readonly embedding: Value
}

/**
 * A single shot detector (Liu et al. 2016): every source is tapped, as the heads read it.
 *
 * @param boxes default boxes of each source
 * @param backbone gives the sources, each with as many places as its default boxes have
 */
export function ssd(
  boxes: readonly SourceBoxes[],
  { classes }: Pick<ModelOptions, "classes">,
  backbone: (b: NetworkBuilder, images: Value) => Sources,
): Model {
  return {
    defaultBoxes: makeDefaultBoxes(boxes),
    build(b, [images]) {
      const { maps, embedding } = backbone(b, images)
      return { output: heads(b.scope("heads"), maps, boxes.map(boxesPerPlace), classes), taps: maps, embedding }
    },
  }
}
