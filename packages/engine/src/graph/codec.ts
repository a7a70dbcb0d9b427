import onnxProto from "onnx-proto"
import { type AnyNode, type Graph, nodesNeededFor, type Value } from "./graph.ts"
import { nchwcDomain, type OnnxAttribute, type OnnxForm, onnxDataTypes, onnxForms } from "./onnx-forms.ts"
import type { Tensor } from "./tensor.ts"

const { onnx } = onnxProto

/** The operator set that graphs are written in. */
export const opset = 17
const irVersion = 8
const attributeTypes = { float: 1, int: 2, ints: 7 } as const

/** A named output of an encoded graph. */
export type NamedOutputs = Readonly<Record<string, Value>>

/**
 * Writes the part of a graph that the outputs need as an ONNX model.
 *
 * Nodes are written output by output. ONNX Runtime runs the last written output's nodes first, so outputs that end the
 * life of large tensors (the first layers' updates) belong first: see docs/findings/engine-speed.md.
 *
 * @returns the bytes of a `ModelProto`
 */
export function encodeModel(graph: Graph, outputs: NamedOutputs): Uint8Array {
  const roots = Object.values(outputs)
  const nodes = nodesNeededFor(graph, roots)
  const used = new Set<Value>([...roots, ...nodes.flatMap((node) => node.inputs)])
  const initializers = new Map<string, ReturnType<typeof encodeTensor>>()
  for (const [value, tensor] of graph.constants) {
    if (used.has(value)) initializers.set(value.name, encodeTensor(value.name, tensor))
  }
  const copies: { name: string; value: Value }[] = []
  const outputNames = new Map<Value, string>()
  for (const [name, value] of Object.entries(outputs)) {
    if (graph.producerOf(value) === undefined || outputNames.has(value)) copies.push({ name, value })
    else outputNames.set(value, name)
  }
  const nameOf = (value: Value) => outputNames.get(value) ?? value.name
  const encoded = nodes.map((node) => encodeNode(node, nameOf, initializers))
  for (const { name, value } of copies) {
    encoded.push(
      onnx.NodeProto.create({ opType: "Identity", name: `output ${name}`, input: [nameOf(value)], output: [name] }),
    )
  }
  const model = onnx.ModelProto.create({
    irVersion,
    producerName: "learnloss",
    opsetImport: [
      { domain: "", version: opset },
      { domain: nchwcDomain, version: 1 },
    ],
    graph: {
      name: "graph",
      node: encoded,
      initializer: [...initializers.values()],
      input: graph.inputs.filter((value) => used.has(value)).map((value) => describe(value.name, value)),
      output: Object.entries(outputs).map(([name, value]) => describe(name, value)),
    },
  })
  return onnx.ModelProto.encode(model).finish()
}

function describe(name: string, { dtype, shape }: Value) {
  return onnx.ValueInfoProto.create({
    name,
    type: { tensorType: { elemType: onnxDataTypes[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  })
}

function encodeTensor(name: string, { dtype, shape, data }: Tensor) {
  return onnx.TensorProto.create({
    name,
    dataType: onnxDataTypes[dtype],
    dims: [...shape],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
}

function encodeNode(
  node: AnyNode,
  nameOf: (value: Value) => string,
  initializers: Map<string, ReturnType<typeof encodeTensor>>,
) {
  const form = formOf(node)
  const constants = (form.constants ?? []).map((tensor) => {
    const name = `${tensor.dtype} [${tensor.shape}] ${Array.from(tensor.data as ArrayLike<number | bigint>, String)}`
    if (!initializers.has(name)) initializers.set(name, encodeTensor(name, tensor))
    return name
  })
  return onnx.NodeProto.create({
    opType: form.opType ?? node.op,
    domain: form.domain ?? "",
    name: (node.outputs[0] as Value).name,
    input: [...node.inputs.map(nameOf), ...constants],
    output: node.outputs.map(nameOf),
    attribute: Object.entries(form.attributes ?? {}).map(([name, attribute]) => encodeAttribute(name, attribute)),
  })
}

function formOf(node: AnyNode): OnnxForm {
  const form = onnxForms[node.op] as OnnxForm | ((attributes: unknown) => OnnxForm)
  return typeof form === "function" ? form(node.attributes) : form
}

function encodeAttribute(name: string, attribute: OnnxAttribute) {
  const type = attributeTypes[attribute.kind]
  switch (attribute.kind) {
    case "int":
      return onnx.AttributeProto.create({ name, type, i: attribute.value })
    case "ints":
      return onnx.AttributeProto.create({ name, type, ints: [...attribute.value] })
    case "float":
      return onnx.AttributeProto.create({ name, type, f: attribute.value })
  }
}
