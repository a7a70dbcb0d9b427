import { LearnlossError } from "../../errors.ts"
import type { Shape } from "../../graph/tensor.ts"
import type { OnnxAttributeValue, OnnxDataType, OnnxNode } from "../model.ts"
import type { NodeView } from "./rule.ts"

/** What a person can do about an op that stands in the way of training. */
export const waysOut =
  "Freeze the network up to and including it (--freeze), cut the network before it (--output), or read another tap (--taps)."

/** How messages name a node: file, op and node. */
export function placeOf(where: string, { op, domain, name }: OnnxNode): string {
  return `${where}, ${domain === "" ? op : `${domain}.${op}`} node "${name}"`
}

/** Reads a node's attributes for import and folding; what is of the wrong kind is refused with `ONNX_ATTRIBUTE`. */
export function viewNode(where: string, opset: number, node: OnnxNode): NodeView {
  const read = <K extends OnnxAttributeValue["kind"]>(name: string, kind: K) => {
    const attribute = node.attributes.get(name)
    if (attribute === undefined) return undefined
    if (attribute.kind === kind) return attribute as Extract<OnnxAttributeValue, { kind: K }>
    throw new LearnlossError("ONNX_ATTRIBUTE", {
      where: `${placeOf(where, node)}, attribute ${name}`,
      expected: kind,
      got: attribute.kind,
      fix: "Export the network again; the file is damaged or written by a broken exporter.",
    })
  }
  return {
    node,
    opset,
    has: (name) => node.attributes.has(name),
    int: (name, fallback) => read(name, "int")?.value ?? fallback,
    float: (name, fallback) => read(name, "float")?.value ?? fallback,
    string: (name, fallback) => read(name, "string")?.value ?? fallback,
    ints: (name) => read(name, "ints")?.value,
    floats: (name) => read(name, "floats")?.value,
    strings: (name) => read(name, "strings")?.value,
    tensor: (name) => read(name, "tensor")?.value.read(),
    fail(expected, got, fix = waysOut) {
      throw new LearnlossError("ONNX_UNSUPPORTED", { where: placeOf(where, node), expected, got, fix })
    },
  }
}

/** Says of a node that nothing trains through it, and the ways out. */
export function unknownOp(where: string, node: OnnxNode): LearnlossError {
  return new LearnlossError("ONNX_OP_UNKNOWN", {
    where: placeOf(where, node),
    expected: "an op that learnloss can train through (`learnloss model ops` lists them)",
    got: node.domain === "" ? node.op : `${node.op} of the domain ${node.domain}`,
    fix: waysOut,
  })
}

/** Says of a wanted value that the network does not have it. */
export function unknownValue(where: string, name: string): LearnlossError {
  return new LearnlossError("ONNX_VALUE_UNKNOWN", {
    where,
    expected: "a value that the network computes",
    got: `"${name}", which nothing makes`,
    fix: "Name an output of one of its nodes; `learnloss model inspect` lists taps.",
  })
}

/** Says of a weight that it cannot be trained in its type. */
export function notFloat32(where: string, dataType: OnnxDataType): LearnlossError {
  return new LearnlossError("ONNX_DTYPE", {
    where,
    expected: "float32, which training needs",
    got: dataType,
    fix: "Freeze it (--freeze), or export the network in float32.",
  })
}

/** Says of a weight or an input that it holds no numbers. */
export function emptyTensor(where: string, shape: Shape): LearnlossError {
  return new LearnlossError("ONNX_TENSOR", {
    where,
    expected: "axes with a length",
    got: `shape [${shape.join(", ")}]`,
    fix: "Export the network again with an example input that is not empty.",
  })
}
