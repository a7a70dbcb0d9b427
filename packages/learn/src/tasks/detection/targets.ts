import { floatTensor, type Tensor, type Value } from "@learnloss/engine"
import { type Box, type DetectionTarget, singleObjects } from "../../data/boxes.ts"
import type { TargetInput } from "../task.ts"
import { encodeBox } from "./box-coding.ts"
import { BoxMatcher } from "./match-boxes.ts"

/** What the loss reads of a batch's targets. */
export interface DetectionTargets<Kind> {
  /** [B, P, 4]: coded boxes of the objects; zeros where a default box is background. */
  readonly offsets: Kind
  /** [B, P]: 0 for background, else 1 + class. */
  readonly classes: Kind
}

export interface TargetOptions {
  /** Whether objects that are hard to recognise are learned; if not, they are background. */
  readonly learnsDifficult?: boolean
}

/** The graph inputs that carry targets for a network of so many default boxes. */
export function targetInputsOf(defaultBoxes: number): readonly TargetInput[] {
  return [
    { name: "offsets", dtype: "float32", shape: [defaultBoxes, 4] },
    { name: "classes", dtype: "int64", shape: [defaultBoxes] },
  ] satisfies readonly (TargetInput & { readonly name: keyof DetectionTargets<Value> })[]
}

/**
 * Makes the function that turns the objects of a batch into targets of every default box.
 *
 * @param defaults [P, 4] centres and sizes as shares of the image
 * @returns a function that throws LearnlossError `BOX_WITHOUT_AREA`
 */
export function targetEncoder(
  defaults: Float32Array,
  { learnsDifficult = true }: TargetOptions = {},
): (targets: readonly DetectionTarget[]) => DetectionTargets<Tensor> {
  const matcher = new BoxMatcher(defaults)
  const count = defaults.length / 4
  return (targets) => {
    const offsets = floatTensor([targets.length, count, 4])
    const classes = new BigInt64Array(targets.length * count)
    for (const [sample, { width, height, boxes }] of targets.entries()) {
      const single = singleObjects(boxes)
      const learned = learnsDifficult ? single : single.filter(({ isDifficult }) => !isDifficult)
      const objects = learned.map(
        ({ box: [x1, y1, x2, y2] }): Box => [x1 / width, y1 / height, x2 / width, y2 / height],
      )
      for (const [position, object] of matcher.match(objects).entries()) {
        if (object < 0) continue
        encodeBox(objects[object] as Box, defaults, position, offsets.data as Float32Array, 4 * sample * count)
        classes[sample * count + position] = BigInt(1 + (learned[object]?.classIndex as number))
      }
    }
    return { offsets, classes: { dtype: "int64", shape: [targets.length, count], data: classes } }
  }
}
