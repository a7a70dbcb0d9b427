import { InternalError } from "../errors.ts"
import { floatTensor, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { TensorMap } from "../nn/network.ts"
import type { PackLayout, TrainingState } from "./resident-step.ts"

/** Numbers that a pack holds. */
export function lengthOf({ members }: PackLayout): number {
  return members.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** A state as parts of its packs' memory, without a copy. */
export function viewsOf(packs: readonly PackLayout[], memory: TensorMap): TrainingState {
  const state = { parameters: new Map<string, Tensor>(), optimizer: new Map<string, Tensor>() }
  for (const { name, slot, members } of packs) {
    const data = memory.get(name)?.data as Float32Array
    let offset = 0
    for (const { name: member, shape } of members) {
      const view = floatTensor(shape, data.subarray(offset, offset + sizeOf(shape)))
      if (slot === null) state.parameters.set(member, view)
      else state.optimizer.set(`${slot}/${member}`, view)
      offset += sizeOf(shape)
    }
  }
  return state
}

/** Copies a state into the memory of which another is made of; missing optimiser state becomes zero. */
export function copyState(from: TrainingState, into: TrainingState): void {
  for (const holds of ["parameters", "optimizer"] as const) {
    for (const [name, { shape, data }] of into[holds]) {
      const source = from[holds].get(name) ?? (holds === "optimizer" ? floatTensor(shape) : undefined)
      if (source === undefined || source.data.length !== data.length) {
        const got = source === undefined ? "none" : `[${source.shape}]`
        throw new InternalError(`state of ${name}: expected [${shape}], got ${got}`)
      }
      ;(data as Float32Array).set(source.data as Float32Array)
    }
  }
}
