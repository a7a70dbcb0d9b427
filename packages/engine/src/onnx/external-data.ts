import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { LearnlossError } from "../errors.ts"
import { externalLocation, type GraphProto, type ModelProto, requireModelSize, type TensorProto } from "./proto.ts"
import { dataBytes } from "./tensor-data.ts"

/** A stretch of a file next to the model. */
interface Stretch {
  readonly tensor: TensorProto
  readonly path: string
  readonly offset: number
  readonly length: number
}

/**
 * Reads data that stand in files of their own into the message, so that it needs no other file.
 *
 * @param folder the model's folder; undefined for a model that came without one
 * @returns the data read, in the order of the model
 * @throws LearnlossError `ONNX_EXTERNAL_DATA`, `ONNX_TENSOR`, `ONNX_TOO_LARGE`
 */
export function inlineExternalData(model: ModelProto, where: string, folder: string | undefined): Uint8Array[] {
  const external = storedTensors(model).filter(({ dataLocation }) => dataLocation === externalLocation)
  if (external.length === 0) return []
  const files = new Map<string, { readonly descriptor: number; readonly bytes: number }>()
  try {
    const stretches = external.map((tensor) => locate(tensor, where, folder, files))
    requireModelSize(
      stretches.reduce((sum, { length }) => sum + length, 0),
      where,
    )
    return stretches.map((stretch) => {
      const data = readStretch(stretch, files.get(stretch.path)?.descriptor as number, where)
      stretch.tensor.rawData = data
      stretch.tensor.dataLocation = 0
      stretch.tensor.externalData = []
      return data
    })
  } finally {
    for (const { descriptor } of files.values()) closeSync(descriptor)
  }
}

function locate(
  tensor: TensorProto,
  where: string,
  folder: string | undefined,
  files: Map<string, { readonly descriptor: number; readonly bytes: number }>,
): Stretch {
  const place = `${where}, tensor "${tensor.name ?? ""}"`
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key ?? "", value ?? ""]))
  const location = entries.get("location") ?? ""
  if (folder === undefined || !isInside(location)) {
    return refuse(
      place,
      "data in a file of the model's folder",
      folder === undefined ? "a model without a folder" : JSON.stringify(location),
      "Save the model and its data next to each other, or in one file.",
    )
  }
  const path = join(folder, location)
  const { bytes } = files.get(path) ?? openData(path, place, files)
  const offset = wholeNumber(entries.get("offset") ?? "0")
  const expected = dataBytes(tensor, place)
  const length = wholeNumber(entries.get("length") ?? String(expected ?? bytes - offset))
  if (!(offset >= 0 && length >= 0 && offset + length <= bytes))
    return refuse(place, `a place inside ${path}, ${bytes} bytes`, `offset ${offset}, length ${length}`)
  if (expected !== undefined && expected !== length)
    return refuse(place, `${expected} bytes for shape [${(tensor.dims ?? []).join(", ")}]`, `${length}`)
  return { tensor, path, offset, length }
}

/** A file may name its neighbours only: a model from elsewhere must not read the rest of the disk. */
function isInside(location: string): boolean {
  if (location === "" || location.includes("\0") || /^[/\\]|^[A-Za-z]:/.test(location)) return false
  return !location.split(/[/\\]/).includes("..")
}

function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}

function openData(
  path: string,
  place: string,
  files: Map<string, { readonly descriptor: number; readonly bytes: number }>,
): { readonly descriptor: number; readonly bytes: number } {
  let descriptor: number
  try {
    descriptor = openSync(path, "r")
  } catch (error) {
    return refuse(
      place,
      `the file ${path}`,
      error instanceof Error ? error.message : String(error),
      "Put the file that was written beside the model into the same folder.",
    )
  }
  const stats = fstatSync(descriptor)
  const file = { descriptor, bytes: stats.size }
  files.set(path, file)
  if (!stats.isFile()) return refuse(place, "a file with the tensor's data", `${path}, which is none`)
  return file
}

function readStretch({ path, offset, length }: Stretch, descriptor: number, where: string): Uint8Array {
  const data = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const count = readSync(descriptor, data, done, length - done, offset + done)
    if (count === 0) return refuse(where, `${length} bytes at ${offset} of ${path}`, `${done}`)
    done += count
  }
  return data
}

function refuse(
  where: string,
  expected: string,
  got: string,
  fix = "Copy model and data again; they do not belong together or are cut off.",
): never {
  throw new LearnlossError("ONNX_EXTERNAL_DATA", { where, expected, got, fix })
}

/** Every tensor that a model stores: initialisers, attributes, subgraphs and functions. */
function storedTensors(model: ModelProto): TensorProto[] {
  const tensors: TensorProto[] = []
  const visitNodes = (nodes: GraphProto["node"]) => {
    for (const { attribute } of nodes ?? []) {
      for (const { t, tensors: list, g, graphs, sparseTensor } of attribute ?? []) {
        if (t) tensors.push(t)
        for (const tensor of list ?? []) tensors.push(tensor)
        if (sparseTensor?.values) tensors.push(sparseTensor.values)
        if (sparseTensor?.indices) tensors.push(sparseTensor.indices)
        for (const graph of [...(g ? [g] : []), ...(graphs ?? [])]) visitGraph(graph)
      }
    }
  }
  const visitGraph = ({ initializer, sparseInitializer, node }: GraphProto) => {
    for (const tensor of initializer ?? []) tensors.push(tensor)
    for (const { values, indices } of sparseInitializer ?? []) {
      if (values) tensors.push(values)
      if (indices) tensors.push(indices)
    }
    visitNodes(node)
  }
  if (model.graph) visitGraph(model.graph)
  for (const { node } of model.functions ?? []) visitNodes(node)
  return tensors
}
