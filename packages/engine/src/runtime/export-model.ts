import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import type { Graph } from "../graph/graph.ts"
import type { ModelTail } from "../graph/model-tail.ts"
import { lower } from "../lowering/lower.ts"
import { plainOps } from "../lowering/plain-ops.ts"
import { fixedPlan } from "../lowering/plan.ts"

/** A graph for one batch size, its weights inside. */
export interface BuiltNetwork {
  readonly graph: Graph
  readonly outputs: NamedOutputs
  /** What follows the graph in the file. */
  readonly tail?: ModelTail | undefined
}

/** Two batches that no other length of a network is likely to equal; what differs between them follows the batch. */
const batches = [61, 67] as const

/**
 * Writes a network as an ONNX model that takes any number of samples at once.
 *
 * @param build adds the network for a batch to a graph; called for two of them
 * @param metadata free text by key, kept in the model
 * @returns the bytes of an ONNX model
 */
export function exportModel(
  build: (batch: number) => BuiltNetwork,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const [one, other] = batches.map((batch) => {
    const { graph, outputs, tail } = build(batch)
    const lowered = lower(graph, outputs, fixedPlan)
    return { ...plainOps(lowered.graph, lowered.outputs), tail }
  }) as [BuiltNetwork, BuiltNetwork]
  return encodeModel(one.graph, one.outputs, { otherBatch: other, metadata, tail: one.tail })
}
