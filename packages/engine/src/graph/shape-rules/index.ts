import { LearnlossError } from "../../errors.ts"
import type { OpAttributes, OpType } from "../ops.ts"
import { elementwiseShapes } from "./elementwise.ts"
import { indexingShapes } from "./indexing.ts"
import { movementShapes } from "./movement.ts"
import { poolingShapes } from "./pooling.ts"
import { productShapes } from "./product.ts"
import { reductionShapes } from "./reduction.ts"
import { Mismatch, type ShapeRule, type TypedShape } from "./rule.ts"

/** The total table of shape rules; adding an op without one breaks the build. */
export const shapeRules: { readonly [K in OpType]: ShapeRule<K> } = {
  ...elementwiseShapes,
  ...reductionShapes,
  ...productShapes,
  ...movementShapes,
  ...indexingShapes,
  ...poolingShapes,
}

/**
 * Types and shapes of a node's outputs.
 *
 * @throws LearnlossError `GRAPH_SHAPE` naming the node
 */
export function inferOutputs<K extends OpType>(
  op: K,
  inputs: readonly TypedShape[],
  attributes: OpAttributes[K],
  nodeName: string,
): readonly TypedShape[] {
  try {
    return shapeRules[op](inputs, attributes)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw new LearnlossError("GRAPH_SHAPE", { where: `node ${nodeName}`, expected: error.expected, got: error.got })
  }
}
