import { floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import type { NodeView } from "./rule.ts"

/** The numbers of a `Constant` node, whichever of its attributes holds them. */
export function constantNumbers(view: NodeView): Tensor {
  const tensor = view.tensor("value")
  if (tensor !== undefined) return tensor
  if (view.has("value_float")) return floatTensor([], Float32Array.of(view.float("value_float", 0)))
  if (view.has("value_int")) return intTensor([], [view.int("value_int", 0)])
  const [floats, ints] = [view.floats("value_floats"), view.ints("value_ints")]
  if (floats !== undefined) return floatTensor([floats.length], Float32Array.from(floats))
  if (ints !== undefined) return intTensor([ints.length], ints)
  return view.fail("numbers", "a constant of strings or a sparse one")
}

/** What a `Shape` or `Size` node says of a value of that shape. */
export function shapeNumbers(view: NodeView, shape: Shape | undefined): Tensor {
  if (shape === undefined) return view.fail("an input", "none")
  if (view.node.op === "Size") return intTensor([], [sizeOf(shape)])
  const part = shape.slice(view.int("start", 0), view.has("end") ? view.int("end", shape.length) : undefined)
  return intTensor([part.length], part)
}
