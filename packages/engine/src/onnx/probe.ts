import { InternalError, LearnlossError } from "../errors.ts"
import type { Shape } from "../graph/tensor.ts"
import { openSession } from "../runtime/compute-thread.ts"
import { headerOf, neededFor } from "./cut.ts"
import type { OnnxDataType, OnnxModel, OnnxValueInfo } from "./model.ts"
import { nonTensorsOf } from "./non-tensors.ts"
import { attributeTypes, create, dataTypeNumbers, encodeModelProto, type NodeProto, type TensorProto } from "./proto.ts"

export interface ProbeOptions {
  /** Samples of the run; 2 where it is left out. A file that only takes its own batch is run with that. */
  readonly batch?: number
  /** Shapes of inputs, batch included, for axes whose length the file leaves open; other entries are not read. */
  readonly inputShapes?: Readonly<Record<string, Shape>>
  readonly threads?: number
}

/** What one value was in a run. */
export interface ProbedValue {
  readonly dataType: OnnxDataType
  readonly shape: Shape
  /** The axis that grows with the batch; undefined for values without one. */
  readonly batchAxis: number | undefined
}

/** All tensors of a file by name, inputs and stored ones included. */
export interface ProbedShapes extends ReadonlyMap<string, ProbedValue> {
  /** `"fixed"` for a file that computes with `batchSize` samples only. */
  readonly batch: "dynamic" | "fixed"
  /** Samples that the shapes are for. */
  readonly batchSize: number
}

/**
 * Finds the types and shapes of all values by running the file on zeros. Values give out their shapes, not themselves, so
 * a run needs no more memory than the network does. Sequences, maps and optional values are left out.
 *
 * A second run with one more sample shows which axes grow with the batch, also in files that were exported for a fixed
 * one.
 *
 * @throws LearnlossError `ONNX_SHAPE_OPEN` for an axis whose length neither the file nor the caller tells, `ONNX_RUN`
 * where ONNX Runtime cannot run the file, `ONNX_DTYPE` for inputs that are no numbers
 */
export async function probeShapes(model: OnnxModel, options: ProbeOptions = {}): Promise<ProbedShapes> {
  const { batch = 2, threads = 1 } = options
  const first = model.inputs[0]?.shape?.[0]
  const fileBatch = typeof first === "number" ? first : undefined
  const run = (size: number, hasTypes: boolean) =>
    runOnZeros(model, feedShapes(model, options, fileBatch, size), hasTypes, threads)
  let failure: unknown
  try {
    const [small, large] = [await run(batch, true), await run(batch + 1, false)]
    const values = compare(model, small, large)
    if (fileBatch === undefined || outputsFollow(model, values)) return probed(values, "dynamic", batch)
  } catch (error) {
    if (error instanceof LearnlossError && error.code !== "ONNX_RUN") throw error
    failure = error
  }
  const only = fileBatch ?? 1
  if (only === batch && fileBatch === undefined) throw failure
  const fixed = await run(only, true)
  const values = new Map<string, ProbedValue>()
  for (const [name, { dataType, shape }] of fixed) {
    const isStored = model.initializers.has(name)
    values.set(name, { dataType, shape, batchAxis: !isStored && shape[0] === only ? 0 : undefined })
  }
  return probed(values, "fixed", only)
}

function probed(values: Map<string, ProbedValue>, batch: "dynamic" | "fixed", batchSize: number): ProbedShapes {
  return Object.assign(values, { batch, batchSize })
}

type RunShapes = ReadonlyMap<string, { readonly dataType: OnnxDataType; readonly shape: Shape }>

function compare(model: OnnxModel, small: RunShapes, large: RunShapes): Map<string, ProbedValue> {
  const values = new Map<string, ProbedValue>()
  for (const [name, { dataType, shape }] of small) {
    const other = large.get(name)?.shape ?? []
    const axis = shape.findIndex((length, index) => length !== other[index])
    values.set(name, { dataType, shape, batchAxis: model.initializers.has(name) || axis < 0 ? undefined : axis })
  }
  return values
}

/** A fixed batch of the file may only be given up where the results have one row for each sample. */
function outputsFollow(model: OnnxModel, values: ReadonlyMap<string, ProbedValue>): boolean {
  const floats = model.outputs.filter(({ name }) => values.get(name)?.dataType.startsWith("float"))
  const known = floats.map(({ name }) => values.get(name)).filter((value) => value !== undefined)
  const input = values.get(model.inputs[0]?.name ?? "")
  return known.every(({ batchAxis, shape }) => batchAxis === 0 && shape[0] === input?.shape[0])
}

/** Shapes that the inputs are fed in. */
function feedShapes(
  model: OnnxModel,
  { inputShapes = {} }: ProbeOptions,
  fileBatch: number | undefined,
  batch: number,
): ReadonlyMap<string, Shape> {
  const named = new Map<string, number>()
  for (const { name, shape } of model.inputs) {
    for (const [axis, length] of (shape ?? []).entries()) {
      const given = inputShapes[name]?.[axis]
      if (typeof length === "string" && axis > 0 && given !== undefined) named.set(length, given)
    }
  }
  const lengthOf = (input: OnnxValueInfo, axis: number): number => {
    const length = input.shape?.[axis]
    if (axis === 0 && (typeof length !== "number" || length === fileBatch)) return batch
    if (typeof length === "number") return length
    const found = inputShapes[input.name]?.[axis] ?? named.get(length ?? "")
    if (found !== undefined) return found
    throw new LearnlossError("ONNX_SHAPE_OPEN", {
      where: `${model.where}, input "${input.name}"`,
      expected: "a length for every axis but the batch",
      got: describeShape(input),
      fix: "Say how large the input is, such as the size of the images.",
    })
  }
  return new Map(
    model.inputs.map((input) => {
      const rank = input.shape?.length ?? inputShapes[input.name]?.length
      const axes = Array.from({ length: rank ?? 1 }, (_, axis) => axis)
      if (rank === undefined) lengthOf(input, 1)
      return [input.name, axes.map((axis) => lengthOf(input, axis))]
    }),
  )
}

function describeShape({ shape }: OnnxValueInfo): string {
  return shape === undefined
    ? "a shape that the file does not tell"
    : `[${shape.map((each) => each ?? "?").join(", ")}]`
}

const types = { name: (index: number) => `type of ${index}`, all: "all elements", none: "no elements" } as const

/** Runs every node of the file; zeros are made inside the model, so that an input may have any type of number. */
async function runOnZeros(
  model: OnnxModel,
  feeds: ReadonlyMap<string, Shape>,
  hasTypes: boolean,
  threads: number,
): Promise<RunShapes> {
  const every = model.nodes.flatMap(({ outputs }) => outputs)
  const { proto, nodes, initializers, sparseInitializers } = everythingOf(model)
  const others = nonTensorsOf(nodes)
  const made = new Set(nodes.flatMap(({ output }) => output ?? []))
  const values = every.filter((name) => name !== "" && made.has(name) && !others.has(name))
  const extra: NodeProto[] = []
  const outputs: string[] = []
  const add = (opType: string, input: string[], output: string, attribute: NodeProto["attribute"] = []) => {
    extra.push(create.node({ opType, name: output, input, output: [output], attribute }))
    outputs.push(output)
  }
  for (const [index, name] of values.entries()) {
    add("Shape", [name], `shape of ${index}`)
    if (!hasTypes) continue
    const flat = `flat ${index}`
    extra.push(create.node({ opType: "Reshape", name: flat, input: [name, types.all], output: [flat] }))
    // Picking no element leaves the type and nothing else.
    add("Gather", [flat, types.none], types.name(index))
  }
  const zeros = model.inputs.map((input) => zeroInput(model, input, feeds.get(input.name) ?? []))
  const bytes = encodeModelProto(
    create.model({
      ...headerOf(proto),
      graph: create.graph({
        name: "probe",
        node: [...zeros.map(({ node }) => node), ...nodes, ...extra],
        initializer: [
          ...initializers,
          ...zeros.map(({ shape }) => shape),
          int64s(types.all, [-1]),
          int64s(types.none, []),
        ],
        sparseInitializer: sparseInitializers,
        output: outputs.map((name) => create.valueInfo({ name })),
      }),
    }),
    model.where,
  )
  const results = await runOnce(bytes, threads, model)
  const found = new Map<string, { dataType: OnnxDataType; shape: Shape }>()
  for (const [name, { dataType, shape }] of model.initializers) found.set(name, { dataType, shape })
  for (const { name, dataType } of model.inputs)
    found.set(name, { dataType: dataType ?? "float32", shape: feeds.get(name) ?? [] })
  for (const [index, name] of values.entries()) {
    const shape = Array.from((results[`shape of ${index}`]?.data ?? []) as ArrayLike<bigint>, Number)
    const dataType = (results[types.name(index)]?.dtype ?? "other") as OnnxDataType
    found.set(name, { dataType, shape })
  }
  return found
}

/** All nodes, for inference; ONNX Runtime runs those whose values are asked for. */
function everythingOf(model: OnnxModel): ReturnType<typeof neededFor> {
  const wanted = model.nodes.flatMap(({ outputs }) => outputs.slice(0, 1)).filter((name) => name !== "")
  return neededFor(model, wanted)
}

function zeroInput(
  { where }: OnnxModel,
  { name, dataType = "float32" }: OnnxValueInfo,
  shape: Shape,
): { node: NodeProto; shape: TensorProto } {
  const number = dataTypeNumbers[dataType]
  if (["other", "string", "complex64", "complex128"].includes(dataType)) {
    throw new LearnlossError("ONNX_DTYPE", {
      where: `${where}, input "${name}"`,
      expected: "numbers",
      got: dataType === "other" ? "a type that learnloss does not know" : dataType,
      fix: "Cut what reads this input off, and feed numbers.",
    })
  }
  const lengths = `lengths of ${name}`
  const bytes = { float64: 8, int64: 8, uint64: 8, float32: 4, int32: 4, uint32: 4, bool: 1, int8: 1, uint8: 1 }
  const rawData = new Uint8Array(bytes[dataType as keyof typeof bytes] ?? 2)
  const value = create.attribute({
    name: "value",
    type: attributeTypes.tensor,
    t: create.tensor({ dataType: number, dims: [1], rawData }),
  })
  return {
    node: create.node({
      opType: "ConstantOfShape",
      name: `zeros ${name}`,
      input: [lengths],
      output: [name],
      attribute: [value],
    }),
    shape: int64s(lengths, shape),
  }
}

function int64s(name: string, values: readonly number[]): TensorProto {
  const data = BigInt64Array.from(values, BigInt)
  return create.tensor({
    name,
    dataType: dataTypeNumbers.int64,
    dims: [values.length],
    rawData: new Uint8Array(data.buffer),
  })
}

/** Domains whose ops ONNX Runtime has. */
const ownDomains = /^(ai\.onnx(\..+)?|com\.microsoft(\..+)?)?$/

/** Ops of domains that ONNX Runtime knows nothing of, as `domain.op`; none for most files. */
export function foreignOps({ nodes }: OnnxModel): string[] {
  const foreign = nodes.filter(({ domain }) => !ownDomains.test(domain))
  return [...new Set(foreign.map(({ domain, op }) => `${domain}.${op}`))]
}

/** How many ops an error names. */
const namedOps = 5

async function runOnce(bytes: Uint8Array, threads: number, model: OnnxModel) {
  try {
    // Nothing is fused, so that every value of the file is there.
    const session = await openSession(bytes, { threads, optimize: false, isSilent: true })
    try {
      return await session.run({})
    } finally {
      await session.release()
    }
  } catch (error) {
    if (error instanceof InternalError) throw error
    const got =
      error instanceof LearnlossError ? error.details.got : error instanceof Error ? error.message : String(error)
    const foreign = foreignOps(model)
    const named = `${foreign.slice(0, namedOps).join(", ")}${foreign.length > namedOps ? ", ..." : ""}`
    throw new LearnlossError("ONNX_RUN", {
      where: model.where,
      expected: "a network that ONNX Runtime can run",
      got: foreign.length === 0 ? got : `one with custom ops (${named}): ${got}`,
      fix:
        foreign.length === 0
          ? "Check that the file runs in ONNX Runtime with inputs of this shape."
          : "Export the network without custom ops, or cut the file before them.",
      cause: error,
    })
  }
}
