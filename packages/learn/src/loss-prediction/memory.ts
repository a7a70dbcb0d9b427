import { floatTensor, type NetworkBuilder, op, type Value, zeros } from "@learnloss/engine"

/** Samples of the latest steps: what the module read of them and the loss that they had then. */
export interface Memory {
  /** [M, C] of each of the module's branches, by its name. */
  readonly features: ReadonlyMap<string, Value>
  /** [M] */
  readonly targetLoss: Value
  /** [M]: 1 where a sample is remembered, 0 where none has come yet. */
  readonly isFilled: Value
}

/**
 * Remembers the samples of the latest steps, the newest first, without their gradients; the first to come is the first to
 * go. The memory is a buffer of the network, zero at first: it is written into checkpoints, and weights that are drawn anew
 * come with an empty one. Weights that go on into the next cycle keep theirs, which was made by them.
 *
 * @param features [B, C] that each branch of the module reads, by its name
 * @param targetLoss [B]
 * @param size M, how many samples are remembered
 * @returns what was remembered before this step
 */
export function rememberBatch(
  b: NetworkBuilder,
  features: ReadonlyMap<string, Value>,
  targetLoss: Value,
  size: number,
): Memory {
  const batch = targetLoss.shape[0] as number
  const ones = floatTensor([batch], new Float32Array(batch).fill(1))
  const remember = (name: string, value: Value): Value => {
    const buffer = b.parameter(name, [size, ...value.shape.slice(1)], zeros, "buffer")
    const newest = op.slice(op.stopGradient(value), 0, 0, Math.min(batch, size))
    const kept = size > batch ? [op.slice(buffer, 0, 0, size - batch)] : []
    b.blendBuffer(buffer, op.concat([newest, ...kept], 0), 1)
    return buffer
  }
  return {
    features: new Map([...features].map(([name, value]) => [name, remember(name, value)])),
    targetLoss: remember("targetLoss", targetLoss),
    isFilled: remember("isFilled", b.graph.constant(ones, "filled")),
  }
}
