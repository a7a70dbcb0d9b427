import { InternalError, LearnlossError } from "../errors.ts"
import { valuesReadBy } from "./graph-order.ts"
import { inInferenceMode } from "./inference-mode.ts"
import type { OnnxModel } from "./model.ts"
import {
  attributeTypes,
  create,
  dataTypeNumbers,
  encodeModelProto,
  int64ToNumber,
  type ModelProto,
  type NodeProto,
  sourceOf,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts"

/** A value of the file that the cut model gives out. */
export interface CutOutput {
  /** The value's name in the file. */
  readonly name: string
  /** What the cut model calls it. */
  readonly as?: string
  /** Averages [B, C, ...] or [B, ..., C] over all positions to `float32` [B, C]; [B, C] stays as it is. */
  readonly pool?: "channels-first" | "channels-last"
}

export interface CutOptions {
  readonly outputs: readonly CutOutput[]
  /** `"fixed"` keeps the sizes of the file's inputs; otherwise their first axis becomes the batch, of any length. */
  readonly batch?: "dynamic" | "fixed"
}

/** Version of the file format from which stored tensors need not be listed as inputs. */
const irWithoutWeightInputs = 4

/**
 * The part of a file that computes the named values, as a model of its own: without nodes and weights that they do not
 * need, for inference (normalisation uses its statistics, nothing is dropped), and with all weights inside.
 *
 * @returns the bytes of an ONNX model
 * @throws LearnlossError `ONNX_VALUE_UNKNOWN` for a name that nothing makes, `ONNX_CUT` for outputs of the same name,
 * `ONNX_TOO_LARGE`
 */
export function cutModel(model: OnnxModel, { outputs, batch = "dynamic" }: CutOptions): Uint8Array {
  const { proto, nodes, inputs, initializers, sparseInitializers } = neededFor(
    model,
    outputs.map(({ name }) => name),
  )
  const taken = new Set([
    ...nodes.flatMap(({ output }) => output ?? []),
    ...inputs.map(({ name }) => name ?? ""),
    ...initializers.map(({ name }) => name ?? ""),
  ])
  const extra: NodeProto[] = []
  const constants = new Map<string, TensorProto>()
  const names = new Set<string>()
  for (const output of outputs) {
    const { name, as = name, pool } = output
    if (names.has(as) || ((as !== name || pool !== undefined) && taken.has(as))) {
      throw new LearnlossError("ONNX_CUT", {
        where: model.where,
        expected: "outputs with names of their own",
        got: `"${as}" for two values`,
        fix: "Give the output another name.",
      })
    }
    names.add(as)
    if (pool !== undefined) extra.push(...pooled(name, as, pool, constants))
    else if (as !== name) extra.push(create.node({ opType: "Identity", name: as, input: [name], output: [as] }))
  }
  const cut = create.model({
    ...headerOf(proto),
    graph: create.graph({
      name: "cut",
      node: [...nodes, ...extra],
      initializer: [...initializers, ...constants.values()],
      sparseInitializer: sparseInitializers,
      input: batch === "fixed" ? inputs : inputs.map(withOpenBatch(namesOfLengths(inputs))),
      output: [...names].map((name) => create.valueInfo({ name })),
    }),
  })
  return encodeModelProto(cut, model.where)
}

/** What the file has for computing some of its values. */
export function neededFor(model: OnnxModel, wanted: readonly string[]) {
  const source = sourceOf(model)
  if (source === undefined) throw new InternalError(`${model.where} was not decoded from a file`)
  const { proto, graph } = source
  const needed = new Set(wanted)
  const nodes: NodeProto[] = []
  const known = new Set<string>([...model.initializers.keys(), ...(graph.input ?? []).map(({ name }) => name ?? "")])
  for (const original of source.nodes.toReversed()) {
    if (!(original.output ?? []).some((output) => output !== "" && needed.has(output))) continue
    const node = inInferenceMode(original)
    for (const name of valuesReadBy(node)) needed.add(name)
    nodes.push(node)
    for (const output of node.output ?? []) known.add(output)
  }
  for (const name of needed) if (!known.has(name) || name === "") throw unknownValue(model, name)
  return {
    proto,
    nodes: nodes.reverse(),
    inputs: (graph.input ?? []).filter(({ name }) => needed.has(name ?? "") && !model.initializers.has(name ?? "")),
    initializers: (graph.initializer ?? []).filter(({ name }) => needed.has(name ?? "")),
    sparseInitializers: (graph.sparseInitializer ?? []).filter(({ values }) => needed.has(values?.name ?? "")),
  }
}

/** Everything of a model but its graph. */
export function headerOf({ irVersion, opsetImport, functions }: ModelProto): ModelProto {
  return {
    irVersion: Math.max(int64ToNumber(irVersion), irWithoutWeightInputs),
    producerName: "learnloss",
    opsetImport: opsetImport ?? [],
    functions: functions ?? [],
  }
}

function unknownValue(model: OnnxModel, name: string): LearnlossError {
  const word = name.toLowerCase()
  const close = model.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((output) => output !== "" && output.toLowerCase().includes(word))
    .slice(0, 5)
  return new LearnlossError("ONNX_VALUE_UNKNOWN", {
    where: model.where,
    expected: "a value that the network computes",
    got: `"${name}", which nothing makes`,
    fix:
      close.length > 0
        ? `Close names: ${close.map((each) => `"${each}"`).join(", ")}.`
        : "`learnloss model inspect` lists values to tap.",
  })
}

/** Names that the file gives to open lengths of axes. */
function namesOfLengths(inputs: readonly ValueInfoProto[]): ReadonlySet<string> {
  const dims = inputs.flatMap(({ type }) => (type?.tensorType?.shape?.dim ?? []).slice(1))
  return new Set(dims.map(({ dimParam }) => dimParam ?? ""))
}

/** An open length that shares its name with another axis would have to be equal to it. */
function withOpenBatch(taken: ReadonlySet<string>): (input: ValueInfoProto) => ValueInfoProto {
  let dimParam = "batch"
  while (taken.has(dimParam)) dimParam += "_"
  return (input) => {
    const tensor = input.type?.tensorType
    const dims = tensor?.shape?.dim ?? []
    if (!tensor || dims.length === 0) return input
    const shape = { dim: [{ dimParam }, ...dims.slice(1)] }
    return create.valueInfo({
      name: input.name ?? "",
      type: { tensorType: { elemType: tensor.elemType ?? 0, shape } },
    })
  }
}

/**
 * Averages over all positions whatever their number of axes is, with nodes that mean the same in all opsets from 11 on:
 * [B, C, ...] and [B, ..., C] both become [B, C, P] first.
 */
function pooled(
  name: string,
  as: string,
  layout: "channels-first" | "channels-last",
  constants: Map<string, TensorProto>,
): NodeProto[] {
  let count = 0
  const nodes: NodeProto[] = []
  const add = (opType: string, input: string[], attribute: NodeProto["attribute"] = [], output?: string): string => {
    const made = output ?? `${as} pooling ${count++}`
    nodes.push(create.node({ opType, name: made, input, output: [made], attribute }))
    return made
  }
  const whole = (attribute: string, value: number) =>
    create.attribute({ name: attribute, type: attributeTypes.int, i: value })
  const indices = (values: readonly number[]): string => {
    const constant = `pooling [${values}]`
    const data = BigInt64Array.from(values, BigInt)
    constants.set(
      constant,
      create.tensor({
        name: constant,
        dataType: dataTypeNumbers.int64,
        dims: [values.length],
        rawData: new Uint8Array(data.buffer),
      }),
    )
    return constant
  }
  const values = add("Cast", [name], [whole("to", dataTypeNumbers.float32)])
  let rows: string
  if (layout === "channels-first") rows = add("Reshape", [values, indices([0, 0, -1])])
  else {
    const shape = add("Shape", [values])
    const batch = add("Gather", [shape, indices([0])])
    const channels = add("Gather", [shape, indices([-1])])
    const wanted = add("Concat", [batch, indices([-1]), channels], [whole("axis", 0)])
    const perm = create.attribute({ name: "perm", type: attributeTypes.ints, ints: [0, 2, 1] })
    rows = add("Transpose", [add("Reshape", [values, wanted])], [perm])
  }
  add("Flatten", [add("GlobalAveragePool", [rows])], [whole("axis", 1)], as)
  return nodes
}
