import type { Node, Value } from "../graph/graph.ts"
import type { OpType } from "../graph/ops.ts"

/**
 * What a gradient rule sees: a node and the gradients of the loss with respect to its outputs.
 * `outputGradient(i)` is zero-filled where the loss does not depend on output i.
 */
export interface RuleContext<K extends OpType> {
  readonly node: Node<K>
  readonly outputGradient: (position?: number) => Value
}

/**
 * Gradients with respect to each input, in order; `null` where an input has none (class indices, conditions).
 * A rule may leave a gradient in the shape that its input was broadcast to (the engine sums it back), or in a smaller
 * shape that broadcasts to its input's (the engine expands it, once, after adding up). It neither prunes nor accumulates.
 */
export type GradientRule<K extends OpType> = ((context: RuleContext<K>) => readonly (Value | null)[]) | "none"

/** A rule for y = f(x): the gradient from those of y, x and y. */
export const unary =
  <K extends OpType>(gradient: (dy: Value, x: Value, y: Value) => Value): GradientRule<K> =>
  ({ node, outputGradient }) => [gradient(outputGradient(), node.inputs[0] as Value, node.outputs[0] as Value)]
