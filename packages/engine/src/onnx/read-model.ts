import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { dirname } from "node:path"
import { LearnlossError } from "../errors.ts"
import { readAttributes } from "./attributes.ts"
import { defuseNodes } from "./crashing-nodes.ts"
import { inlineExternalData } from "./external-data.ts"
import { sortNodes, subgraphsOf } from "./graph-order.ts"
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from "./model.ts"
import {
  dataTypeOf,
  decodeModelProto,
  type GraphProto,
  int64ToNumber,
  type ModelProto,
  type NodeProto,
  rememberSource,
  type ValueInfoProto,
} from "./proto.ts"
import { wrapSparseTensor, wrapTensor } from "./tensor-data.ts"

/** Versions of ONNX's own operator set that are read. */
export const readableOpsets = { first: 11, last: 22 } as const

const deepestSubgraph = 32

/**
 * Reads an ONNX file and the external data beside it, and checks that it is whole.
 *
 * @throws LearnlossError `ONNX_BROKEN`, `ONNX_OPSET`, `ONNX_EXTERNAL_DATA`, `ONNX_TOO_LARGE`, `ONNX_GRAPH`, `ONNX_TENSOR`
 */
export function readOnnxModel(path: string): OnnxModel {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new LearnlossError("ONNX_BROKEN", {
      where: path,
      expected: "a readable ONNX file",
      got: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
  return decodeOnnxModel(bytes, path, dirname(path))
}

/**
 * Reads the bytes of an ONNX file and checks that they are whole. Weights stay views of the bytes.
 *
 * @param where what messages call the file
 * @param folder where external data are looked for; without it a model with external data is refused
 * @throws LearnlossError as `readOnnxModel`
 */
export function decodeOnnxModel(bytes: Uint8Array, where: string, folder?: string): OnnxModel {
  const hash = createHash("sha256").update(bytes)
  const proto = decodeModelProto(bytes, where)
  const graph = requireGraph(proto, bytes, where)
  requireFlat(graph, where)
  const opsets = readOpsets(proto, where)
  for (const data of inlineExternalData(proto, where, folder)) hash.update(data)
  const initializers = readInitializers(graph, where)
  const inputs = (graph.input ?? []).map((input) => readValueInfo(input, where))
  requireUnique(
    inputs.map(({ name }) => name),
    "input",
    where,
  )
  const given = new Set([...inputs.map(({ name }) => name), ...initializers.keys()])
  defuseNodes(graph.node ?? [], where)
  const nodeProtos = sortNodes(graph.node ?? [], given, where)
  const outputs = (graph.output ?? []).map((output) => readValueInfo(output, where))
  requireOutputs(outputs, nodeProtos, given, where)
  const fed = inputs.filter(({ name }) => !initializers.has(name))
  for (const input of fed) requireFeedable(input, where)
  const model: OnnxModel = {
    where,
    digest: hash.digest("hex"),
    irVersion: int64ToNumber(proto.irVersion),
    opset: opsets.get("") as number,
    opsets,
    producer: { name: proto.producerName ?? "", version: proto.producerVersion ?? "" },
    inputs: fed,
    outputs,
    nodes: readNodes(nodeProtos, where),
    initializers,
    metadata: new Map((proto.metadataProps ?? []).map(({ key, value }) => [key ?? "", value ?? ""])),
  }
  rememberSource(model, { proto, graph, nodes: nodeProtos })
  return model
}

function requireGraph({ graph }: ModelProto, bytes: Uint8Array, where: string): GraphProto {
  if (graph && (graph.output?.length ?? 0) > 0) return graph
  throw new LearnlossError("ONNX_BROKEN", {
    where,
    expected: "an ONNX model with a graph that has outputs",
    got: bytes.byteLength === 0 ? "an empty file" : `${bytes.byteLength} bytes without one`,
    fix: "Copy or export the file again; it is cut off, damaged or of another format.",
  })
}

/** Subgraphs inside subgraphs are rare; thousands of levels only exist to exhaust a reader's stack. */
function requireFlat(graph: GraphProto, where: string): void {
  let level: readonly GraphProto[] = [graph]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepestSubgraph)
      throw graphError(where, `subgraphs at most ${deepestSubgraph} levels deep`, "deeper ones")
    level = level.flatMap(({ node }) => (node ?? []).flatMap(subgraphsOf))
  }
}

function readOpsets({ opsetImport }: ModelProto, where: string): ReadonlyMap<string, number> {
  const opsets = new Map<string, number>()
  for (const { domain, version } of opsetImport ?? []) opsets.set(ownDomain(domain), int64ToNumber(version))
  const opset = opsets.get("")
  const { first, last } = readableOpsets
  if (opset !== undefined && opset >= first && opset <= last) return opsets
  const fix =
    opset !== undefined && opset < first
      ? `Export it again with opset_version=17, or convert it with onnx.version_converter.`
      : "Export it again with opset_version=17."
  throw new LearnlossError("ONNX_OPSET", {
    where,
    expected: `ONNX's operator set in a version from ${first} to ${last}`,
    got: opset === undefined ? "none" : `${opset}`,
    fix,
  })
}

/** ONNX's own domain has a long name too. */
function ownDomain(domain: string | null | undefined): string {
  return domain === "ai.onnx" ? "" : (domain ?? "")
}

function readInitializers(graph: GraphProto, where: string): ReadonlyMap<string, OnnxTensor> {
  const named: [string, OnnxTensor][] = [
    ...(graph.initializer ?? []).map((proto): [string, OnnxTensor] => {
      const name = proto.name ?? ""
      return [name, wrapTensor(proto, `${where}, tensor "${name}"`)]
    }),
    ...(graph.sparseInitializer ?? []).map((proto): [string, OnnxTensor] => {
      const name = proto.values?.name ?? ""
      return [name, wrapSparseTensor(proto, `${where}, tensor "${name}"`)]
    }),
  ]
  requireUnique(
    named.map(([name]) => name),
    "stored tensor",
    where,
  )
  return new Map(named)
}

function readValueInfo({ name, type }: ValueInfoProto, where: string): OnnxValueInfo {
  const tensor = type?.tensorType
  const dims = tensor?.shape?.dim
  return {
    name: name ?? "",
    dataType: tensor ? dataTypeOf(tensor.elemType) : undefined,
    shape: dims?.map((dim) => {
      if (Object.hasOwn(dim, "dimParam") && dim.dimParam) return dim.dimParam
      if (!Object.hasOwn(dim, "dimValue")) return undefined
      const length = int64ToNumber(dim.dimValue)
      // Some exporters write -1 where a length is open.
      if (length === -1) return undefined
      if (Number.isSafeInteger(length) && length >= 0) return length
      throw graphError(where, `lengths of axes for "${name}"`, `${length}`)
    }),
  }
}

function requireFeedable({ name, shape }: OnnxValueInfo, where: string): void {
  if (shape?.some((length) => length === 0)) {
    throw new LearnlossError("ONNX_TENSOR", {
      where: `${where}, input "${name}"`,
      expected: "axes with a length",
      got: `[${shape.map((length) => length ?? "?").join(", ")}]`,
      fix: "Export the network again with an example input that is not empty.",
    })
  }
}

function requireUnique(names: readonly string[], kind: string, where: string): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (name === "") throw graphError(where, `a name for every ${kind}`, "none for one of them")
    if (seen.has(name)) throw graphError(where, `each ${kind} once`, `"${name}" twice`)
    seen.add(name)
  }
}

function requireOutputs(
  outputs: readonly OnnxValueInfo[],
  nodes: readonly NodeProto[],
  given: ReadonlySet<string>,
  where: string,
): void {
  requireUnique(
    outputs.map(({ name }) => name),
    "output",
    where,
  )
  const made = new Set(nodes.flatMap(({ output }) => output ?? []))
  for (const { name } of outputs) {
    if (!made.has(name) && !given.has(name))
      throw graphError(where, "outputs that something makes", `"${name}", which nothing makes`)
  }
}

function readNodes(protos: readonly NodeProto[], where: string): OnnxNode[] {
  const taken = new Set(protos.map(({ name }) => name ?? ""))
  const used = new Set<string>()
  return protos.map((proto, index) => {
    let name = proto.name ?? ""
    if (name === "" || used.has(name)) {
      const wanted = name === "" ? `${proto.opType}_${index}` : name
      name = wanted
      for (let suffix = 2; used.has(name) || taken.has(name); suffix++) name = `${wanted}_${suffix}`
    }
    used.add(name)
    return {
      op: proto.opType ?? "",
      domain: ownDomain(proto.domain),
      name,
      inputs: proto.input ?? [],
      outputs: proto.output ?? [],
      attributes: readAttributes(proto.attribute ?? [], `${where}, node "${name}"`),
    }
  })
}

function graphError(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("ONNX_GRAPH", {
    where,
    expected,
    got,
    fix: "Export the network again; the file is damaged or written by a broken exporter.",
  })
}
