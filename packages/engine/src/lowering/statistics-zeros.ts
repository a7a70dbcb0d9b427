import { expand, mul, slice, split } from "../graph/build.ts"
import type { AnyNode, Value } from "../graph/graph.ts"

/** Zeros for batch normalisation in training to write over. */
export interface StatisticsZeros {
  /**
   * Two vectors of zeros that no other node reads.
   *
   * @param like a statistic [C] of the node's
   */
  next(like: Value): readonly [mean: Value, variance: Value]
}

/**
 * ONNX Runtime writes a training batch's statistics over the memory of the running statistics that it was given. They
 * only enter with a factor next to zero, so each node is given zeros of its own to write over instead: equal ones would be
 * one tensor, in which a layer that is applied twice loses its first batch. All of them are parts of one.
 *
 * @param nodes of the graph that is lowered, in the order in which zeros will be asked for
 */
export function statisticsZeros(nodes: readonly AnyNode[]): StatisticsZeros {
  const lengths = nodes.flatMap(({ op, attributes, inputs }) => {
    const isTraining = op === "BatchNormalization" && (attributes as { training: boolean }).training
    const channels = inputs[1]?.shape[0] as number
    return isTraining ? [channels, channels] : []
  })
  let parts: readonly Value[] | undefined
  let taken = 0
  return {
    next(like) {
      if (parts === undefined) {
        // A constant would be the same memory in every run; zero times what is fed is written anew.
        const zero = mul(slice(like, 0, 0, 1), 0)
        const total = lengths.reduce((sum, length) => sum + length, 0)
        parts = split(expand(zero, [total]), 0, lengths)
      }
      taken += 2
      return parts.slice(taken - 2, taken) as unknown as readonly [Value, Value]
    },
  }
}
