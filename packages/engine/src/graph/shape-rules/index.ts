import { LearnlossError } from "../../errors.ts"
import type { OpAttributes, OpType } from "../ops.ts"
import { elementwiseShapes } from "./elementwise.ts"
import { indexingShapes } from "./indexing.ts"
import { movementShapes } from "./movement.ts"
import { poolingShapes } from "./pooling.ts"
import { productShapes } from "./product.ts"
import { quantizedShapes } from "./quantized.ts"
import { reductionShapes } from "./reduction.ts"
import { Mismatch, type ShapeRule, type TypedShape, written } from "./rule.ts"

/** The total table of shape rules; adding an op without one breaks the build. */
export const shapeRules: { readonly [K in OpType]: ShapeRule<K> } = {
  ...elementwiseShapes,
  ...reductionShapes,
  ...productShapes,
  ...movementShapes,
  ...indexingShapes,
  ...poolingShapes,
  ...quantizedShapes,
  Foreign: (_, { outputs }) => outputs,
}

/** Numbers in one tensor; 16 GB of `float32`. More comes from a damaged shape, and would be asked of the machine later. */
const mostNumbers = 2 ** 32

function requireReal({ shape }: TypedShape): void {
  let size = 1
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) throw new Mismatch("whole lengths of axes", written(shape))
    // Without the zeros, which may hide an axis that nothing can count.
    size *= Math.max(1, length)
  }
  if (size > mostNumbers) throw new Mismatch(`a tensor of at most ${mostNumbers} numbers`, `shape ${written(shape)}`)
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
    const outputs = shapeRules[op](inputs, attributes)
    for (const output of outputs) requireReal(output)
    return outputs
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw new LearnlossError("GRAPH_SHAPE", { where: `node ${nodeName}`, expected: error.expected, got: error.got })
  }
}
