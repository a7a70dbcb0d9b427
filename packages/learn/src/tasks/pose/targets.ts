import { floatTensor, type Tensor, type Value } from "@learnloss/engine"
import { isLabelled } from "../../data/annotations/joints.ts"
import type { PersonTarget } from "../../data/people.ts"
import type { TargetInput } from "../task.ts"

/** What the loss reads of a batch's people. */
export interface PoseTargets<Kind> {
  /** [B, J, 2]: x and y of every joint in shares of the crop, 0..1; zeros where it is not learned. */
  readonly joints: Kind
  /** [B, J]: 1 for a joint that is learned, 0 for one that nobody labelled or that lies outside the crop. */
  readonly weights: Kind
}

/** The graph inputs that carry targets of so many joints. */
export function targetInputsOf(joints: number): readonly TargetInput[] {
  return [
    { name: "joints", dtype: "float32", shape: [joints, 2] },
    { name: "weights", dtype: "float32", shape: [joints] },
  ] satisfies readonly (TargetInput & { readonly name: keyof PoseTargets<Value> })[]
}

/** Places of the joints of a batch in the crops that the network sees; a joint outside of its crop is not learned. */
export function encodePeople(people: readonly PersonTarget[], joints: number): PoseTargets<Tensor> {
  const places = new Float32Array(people.length * joints * 2)
  const weights = new Float32Array(people.length * joints)
  for (const [sample, { joints: labelled, crop }] of people.entries()) {
    for (const [index, joint] of labelled.entries()) {
      if (!isLabelled(joint)) continue
      const x = (joint.x - crop.center[0]) / crop.side + 0.5
      const y = (joint.y - crop.center[1]) / crop.side + 0.5
      if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) continue
      const at = sample * joints + index
      places.set([x, y], 2 * at)
      weights[at] = 1
    }
  }
  return {
    joints: floatTensor([people.length, joints, 2], places),
    weights: floatTensor([people.length, joints], weights),
  }
}
