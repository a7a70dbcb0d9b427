import onnxProto from "onnx-proto"
import { type BatchDependence, followBatch, type LinearNumbers } from "./dynamic-batch.ts"
import { type AnyNode, type Graph, nodesNeededFor, type Value } from "./graph.ts"
import type { ModelTail, TailNode } from "./model-tail.ts"
import { formOf } from "./node-form.ts"
import type { OnnxAttribute } from "./onnx-attribute.ts"
import { onnxDataTypes, opset } from "./onnx-forms.ts"
import { type DataType, filledTensor, intTensor, type Tensor } from "./tensor.ts"

const { onnx } = onnxProto

const irVersion = 8
const utf8 = new TextEncoder()
const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const

/** A named output of an encoded graph. */
export type NamedOutputs = Readonly<Record<string, Value>>

export interface EncodeOptions {
  /** The same graph built for another batch: what differs between the two is left open and follows the batch. */
  readonly otherBatch?: { readonly graph: Graph; readonly outputs: NamedOutputs }
  /** Free text by key, kept in the model for whoever reads it. */
  readonly metadata?: Readonly<Record<string, string>>
  /** What follows the graph. */
  readonly tail?: ModelTail | undefined
}

type NodeProto = ReturnType<typeof onnx.NodeProto.create>

/** What encoding a node needs to know and fills. */
interface Encoding {
  readonly nameOf: (value: Value) => string
  readonly initializers: Map<string, ReturnType<typeof encodeTensor>>
  readonly used: ReadonlySet<Value>
  readonly batch: BatchDependence | undefined
  /** Version of ONNX's own operator set. */
  readonly version: number
}

/**
 * Writes the part of a graph that the outputs need as an ONNX model.
 *
 * Nodes are written output by output. ONNX Runtime runs the last written output's nodes first, so outputs that end the
 * life of large tensors (the first layers' updates) belong first: see docs/findings/engine-speed.md.
 *
 * @returns the bytes of a `ModelProto`
 */
export function encodeModel(graph: Graph, outputs: NamedOutputs, options: EncodeOptions = {}): Uint8Array {
  const roots = Object.values(outputs)
  const nodes = nodesNeededFor(graph, roots)
  const used = new Set<Value>([...roots, ...nodes.flatMap((node) => node.inputs)])
  const initializers = new Map<string, ReturnType<typeof encodeTensor>>()
  const copies: { name: string; value: Value }[] = []
  const outputNames = new Map<Value, string>()
  for (const [name, value] of Object.entries(outputs)) {
    if (graph.producerOf(value) === undefined || outputNames.has(value)) copies.push({ name, value })
    else outputNames.set(value, name)
  }
  const nameOf = (value: Value) => outputNames.get(value) ?? value.name
  const fed = graph.inputs.filter((value) => used.has(value))
  const batch = options.otherBatch === undefined ? undefined : followBatch(graph, nodes, fed, options.otherBatch)
  const versions = versionsFor(nodes)
  const encoding: Encoding = { nameOf, initializers, used, batch, version: versions.get("") as number }
  const encoded = batch === undefined ? [] : [encodeBatchSize(fed[0] as Value)]
  for (const [value, tensor] of graph.constants) {
    const linear = batch?.constantOf(value)
    if (linear !== undefined) encoded.push(...encodeLinear(value.name, linear, encoding))
    else if (used.has(value)) initializers.set(value.name, encodeTensor(value.name, tensor))
  }
  for (const node of nodes) encoded.push(...encodeNode(node, encoding))
  for (const { name, value } of copies) {
    encoded.push(
      onnx.NodeProto.create({ opType: "Identity", name: `output ${name}`, input: [nameOf(value)], output: [name] }),
    )
  }
  const { tail } = options
  const readByTail = new Set(tail?.nodes.flatMap(({ inputs }) => inputs))
  for (const node of tail?.nodes ?? []) encoded.push(encodeTailNode(node))
  for (const [name, tensor] of Object.entries(tail?.constants ?? {})) initializers.set(name, encodeTensor(name, tensor))
  const model = onnx.ModelProto.create({
    irVersion,
    producerName: "learnloss",
    opsetImport: [...versions].map(([domain, version]) => ({ domain, version })),
    graph: {
      name: "graph",
      node: encoded,
      initializer: [...initializers.values()],
      input: fed.map((value) => describe(value.name, value, batch)),
      output: [
        ...Object.entries(tail?.outputs ?? {}).map(([name, { dtype, shape }]) => valueInfo(name, dtype, shape)),
        ...Object.entries(outputs)
          .filter(([name]) => !readByTail.has(name))
          .map(([name, value]) => describe(name, value, batch)),
      ],
    },
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  })
  return onnx.ModelProto.encode(model).finish()
}

/** Versions of all operator sets by domain: later ones than ours where nodes of a file need them. */
function versionsFor(nodes: readonly AnyNode[]): ReadonlyMap<string, number> {
  const versions = new Map([["", opset]])
  for (const node of nodes) {
    const { domain = "", version = 0 } = formOf(node)
    versions.set(domain, Math.max(version, versions.get(domain) ?? 1))
  }
  return versions
}

function describe(name: string, value: Value, batch: BatchDependence | undefined) {
  const shape = value.shape.map((length, axis) => {
    if (batch?.isOpen(value, axis) !== true) return length
    return axis === 0 ? "batch" : ""
  })
  return valueInfo(name, value.dtype, shape)
}

/** An empty name leaves a length open without one. */
function valueInfo(name: string, dtype: DataType, shape: readonly (number | string)[]) {
  const dim = shape.map((length) => {
    if (typeof length === "number") return { dimValue: length }
    return length === "" ? {} : { dimParam: length }
  })
  return onnx.ValueInfoProto.create({ name, type: { tensorType: { elemType: onnxDataTypes[dtype], shape: { dim } } } })
}

function encodeTailNode({ op, inputs, outputs, attributes = {} }: TailNode): NodeProto {
  return onnx.NodeProto.create({
    opType: op,
    name: outputs[0] as string,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
  })
}

/** Name of the value that holds the batch's size, [1] int64. */
const batchSizeName = "batch size"

function encodeBatchSize({ name }: Value): NodeProto {
  const attribute = [
    encodeAttribute("start", { kind: "int", value: 0 }),
    encodeAttribute("end", { kind: "int", value: 1 }),
  ]
  return onnx.NodeProto.create({
    opType: "Shape",
    name: batchSizeName,
    input: [name],
    output: [batchSizeName],
    attribute,
  })
}

/** Nodes that compute `constant + slope * batch`, named `name`. */
function encodeLinear(name: string, { constant, slope }: LinearNumbers, { initializers }: Encoding): NodeProto[] {
  const [product, offset, factor] = [`${name} per sample`, `${name} constant`, `${name} slope`]
  initializers.set(offset, encodeTensor(offset, intTensor([constant.length], constant)))
  initializers.set(factor, encodeTensor(factor, intTensor([slope.length], slope)))
  const node = (opType: string, input: string[], output: string) =>
    onnx.NodeProto.create({ opType, name: output, input, output: [output] })
  return [node("Mul", [factor, batchSizeName], product), node("Add", [offset, product], name)]
}

function encodeTensor(name: string, { dtype, shape, data }: Tensor) {
  return onnx.TensorProto.create({
    name,
    dataType: onnxDataTypes[dtype],
    dims: [...shape],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
}

function encodeNode(node: AnyNode, encoding: Encoding): NodeProto[] {
  const { nameOf, initializers, used, batch, version } = encoding
  const form = formOf(node, version)
  // An output that nothing reads costs: with its positions asked for, max pooling runs without its fast kernels.
  const lastUsed = node.outputs.findLastIndex((output) => used.has(output))
  const outputs = node.outputs.slice(0, Math.max(lastUsed + 1, form.requiredOutputs ?? node.outputs.length))
  const before: NodeProto[] = []
  const constants = (form.constants ?? []).map((tensor, position) => {
    const linear = batch?.numbersOf(node, position)
    if (linear !== undefined) {
      const name = `${node.outputs[0]?.name} numbers ${position}`
      before.push(...encodeLinear(name, linear, encoding))
      return name
    }
    const name = `${tensor.dtype} [${tensor.shape}] ${Array.from(tensor.data as ArrayLike<number | bigint>, String)}`
    if (!initializers.has(name)) initializers.set(name, encodeTensor(name, tensor))
    return name
  })
  const encoded = onnx.NodeProto.create({
    opType: form.opType ?? node.op,
    domain: form.domain ?? "",
    name: (node.outputs[0] as Value).name,
    input: placed([...node.inputs.map(nameOf), ...constants], form.places?.inputs),
    output: placed(outputs.map(nameOf), form.places?.outputs),
    attribute: Object.entries(form.attributes ?? {}).map(([name, attribute]) => encodeAttribute(name, attribute)),
  })
  return [...before, encoded]
}

/** Names at their places in a node's list; an empty name leaves an input or output out. */
function placed(names: readonly string[], places: readonly number[] | undefined): string[] {
  if (places === undefined) return [...names]
  const list = Array.from({ length: Math.max(-1, ...places) + 1 }, () => "")
  for (const [index, place] of places.entries()) list[place] = names[index] as string
  return list
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
    case "floats":
      return onnx.AttributeProto.create({ name, type, floats: [...attribute.value] })
    case "string":
      return onnx.AttributeProto.create({ name, type, s: utf8.encode(attribute.value) })
    case "strings":
      return onnx.AttributeProto.create({ name, type, strings: attribute.value.map((text) => utf8.encode(text)) })
    case "tensor":
      return onnx.AttributeProto.create({ name, type, t: encodeTensor("", tensorOf(attribute.value)) })
  }
}

function tensorOf({ dtype, shape, data }: Extract<OnnxAttribute, { kind: "tensor" }>["value"]): Tensor {
  return filledTensor(dtype, shape, (position) => data[position] as number)
}
