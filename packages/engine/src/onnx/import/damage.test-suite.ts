import { floatTensor, intTensor, sizeOf, type Tensor } from "../../graph/tensor.ts"
import type { Rng } from "../../random/rng.ts"
import type { WrittenAttribute, WrittenModel, WrittenNode } from "../../testing/onnx-writer.ts"
import { foldRules } from "./fold/index.ts"
import { importRules } from "./rules/index.ts"

const ops = [...Object.keys(importRules), ...Object.keys(foldRules), "Shape", "Size", "Loop", "NonMaxSuppression"]
const strangeNumbers = [-1, 0, 1, 2, 3, 5, 16, -2, -7, 255, 2 ** 20, 2 ** 31, 2 ** 40, 2 ** 53 - 1, -(2 ** 53 - 1)]

const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.integer(list.length)]!
const strangeList = (rng: Rng) => Array.from({ length: rng.integer(6) }, () => pick(rng, strangeNumbers))

function strangeAttribute(rng: Rng): WrittenAttribute {
  switch (rng.integer(4)) {
    case 0:
      return { int: pick(rng, strangeNumbers) }
    case 1:
      return { ints: strangeList(rng) }
    case 2:
      return { float: pick(rng, [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-30, 3e38]) }
    default:
      return { string: pick(rng, ["", "SAME_UPPER", "VALID", "reflect", "cubic", "ij,jk->ik", "\u0000", "add"]) }
  }
}

/** A stored tensor of another size, of other numbers, or of the same numbers in another shape. */
function strangeTensor(rng: Rng, { dtype, shape }: Tensor, tensor: Tensor): Tensor {
  const small = Array.from({ length: rng.integer(5) }, () => rng.integer(4))
  switch (rng.integer(4)) {
    case 0:
      return { ...tensor, shape: rng.shuffle(shape) } as Tensor
    case 1:
      return { ...tensor, shape: [sizeOf(shape)] } as Tensor
    case 2:
      return dtype === "int64" ? floatTensor(small) : intTensor([sizeOf(small)], strangeList(rng).slice(0, 0))
    default: {
      if (dtype !== "int64") return floatTensor(small)
      const numbers = Array.from({ length: sizeOf(shape) }, () => pick(rng, strangeNumbers))
      return intTensor(shape, numbers)
    }
  }
}

function damagedInputs(rng: Rng, inputs: readonly string[], names: readonly string[]): readonly string[] {
  const at = rng.integer(inputs.length + 1)
  switch (rng.integer(5)) {
    case 0:
      return rng.shuffle(inputs)
    case 1:
      return inputs.toSpliced(at, 1)
    case 2:
      return inputs.map((name, index) => (index === at ? "" : name))
    case 3:
      return inputs.toSpliced(at, 0, pick(rng, names))
    default:
      return inputs.map((name, index) => (index === at ? pick(rng, names) : name))
  }
}

function damagedNode(rng: Rng, node: WrittenNode, names: readonly string[]): WrittenNode {
  const keys = [...Object.keys(node.attributes ?? {}), "axis", "axes", "pads", "group", "strides", "perm", "keepdims"]
  switch (rng.integer(4)) {
    case 0:
      return { ...node, inputs: damagedInputs(rng, node.inputs, names) }
    case 1:
      return { ...node, op: pick(rng, ops) }
    case 2:
      return { ...node, outputs: rng.integer(2) === 0 ? [...node.outputs, "extra"] : [pick(rng, names)] }
    default:
      return { ...node, attributes: { ...node.attributes, [pick(rng, keys)]: strangeAttribute(rng) } }
  }
}

/** The model with one to three of its parts changed: nodes, their inputs and attributes, stored tensors, its input. */
export function damagedParts(model: WrittenModel, rng: Rng): WrittenModel {
  let { nodes, initializers = {}, inputs } = model
  for (let change = 1 + rng.integer(3); change > 0; change--) {
    const names = [...nodes.flatMap(({ outputs }) => outputs), ...Object.keys(initializers), "", "nowhere"]
    const [at, stored] = [rng.integer(nodes.length), pick(rng, Object.keys(initializers))]
    const node = nodes[at] as WrittenNode
    switch (rng.integer(8)) {
      case 0:
        nodes = nodes.toSpliced(at, 1, { ...node, inputs: node.inputs.slice(0, -1) })
        break
      case 1:
        nodes = nodes.map((each, index) =>
          index === at ? { ...node, op: "Identity", inputs: node.inputs.slice(0, 1) } : each,
        )
        break
      case 2: {
        const { [stored]: _, ...rest } = initializers
        initializers = rest
        break
      }
      case 3: {
        const tensor = initializers[stored] as Tensor
        initializers = { ...initializers, [stored]: strangeTensor(rng, tensor, tensor) }
        break
      }
      case 4:
        inputs = inputs.map((input) => ({
          ...input,
          shape: input.shape?.map(() => pick(rng, [1, 3, 5, 16, "n"])) ?? [],
        }))
        break
      default:
        nodes = nodes.map((each, index) => (index === at ? damagedNode(rng, node, names) : each))
    }
  }
  return { ...model, nodes, initializers, inputs }
}

/** The bytes with one to four of them changed, or a stretch cut out, copied or repeated; mostly outside the weights. */
export function damagedBytes(bytes: Uint8Array, plainLength: number, rng: Rng): Uint8Array {
  const damaged = Uint8Array.from(bytes)
  const somewhere = () => rng.integer(rng.integer(5) === 0 ? damaged.length : plainLength)
  const [from, to] = [somewhere(), somewhere()].toSorted((a, b) => a - b) as [number, number]
  switch (rng.integer(8)) {
    case 0:
      return damaged.slice(0, from)
    case 1:
      return Uint8Array.of(...damaged.slice(0, from), ...damaged.slice(Math.min(to, from + 1 + rng.integer(16))))
    case 2:
      damaged.copyWithin(to, from, from + rng.integer(40))
      return damaged
    default:
      for (let change = 1 + rng.integer(4); change > 0; change--) {
        const at = somewhere()
        damaged[at] = rng.integer(2) === 0 ? rng.integer(256) : damaged[at]! ^ (1 << rng.integer(8))
      }
      return damaged
  }
}
