import type { NamedOutputs } from "../graph/codec.ts"
import type { Graph, Value } from "../graph/graph.ts"
import type { OpAttributes, OpType } from "../graph/ops.ts"
import { rewrite } from "../graph/rewrite.ts"
import { foldConstants } from "./fold-constants.ts"
import { arithmeticSimplifications } from "./simplify-arithmetic.ts"
import { movementSimplifications } from "./simplify-movement.ts"

/** Adds a node, or what says the same in fewer or cheaper ones. */
export type Make = <K extends OpType>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]) => Value

/** What takes the place of a node with one output; undefined where it stays. Inputs are simplified already. */
export type Simplification<K extends OpType> = (
  inputs: readonly Value[],
  attributes: OpAttributes[K],
  make: Make,
) => Value | undefined

/** Some of the ops, with what simplifies them. */
export type Simplifications = { readonly [K in OpType]?: Simplification<K> }

const simplifications: Simplifications = { ...movementSimplifications, ...arithmeticSimplifications }

/**
 * The same numbers, to the bit, from fewer nodes: movements that undo or continue one another, parts of joined tensors,
 * neutral operands, and what depends on constants alone. Equal nodes become one and unread ones are left out, as `Graph`
 * and encoding do by themselves.
 *
 * Nothing here looks through `Split`: it hands out the small parameters of a training step, which are updated as one.
 */
export function simplify(
  graph: Graph,
  outputs: NamedOutputs,
): { readonly graph: Graph; readonly outputs: NamedOutputs } {
  return rewrite(graph, outputs, ({ op, inputs, attributes, outputs: { length } }, map, simplified) => {
    if (length !== 1) return undefined
    const make: Make = (op, inputs, attributes) =>
      (simplifications[op] as Simplification<typeof op> | undefined)?.(inputs, attributes, make) ??
      foldConstants(op, inputs, simplified.add(op, inputs, attributes)[0] as Value)
    return [make(op, inputs.map(map), attributes as OpAttributes[typeof op])]
  })
}
