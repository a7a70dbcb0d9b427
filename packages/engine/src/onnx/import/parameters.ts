import { sizeOf } from "../../graph/tensor.ts"
import type { OnnxModel, OnnxNode, OnnxTensor } from "../model.ts"

/** A tensor stored in a file that training changes (`parameter`) or keeps up to date (`buffer`). */
export interface StoredParameter {
  readonly name: string
  readonly kind: "parameter" | "buffer"
  readonly tensor: OnnxTensor
}

/** Inputs that hold weights, whatever they are called: by op, the first such input and the last. */
const weightInputs: Readonly<Record<string, readonly [number, number]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 2],
  MatMul: [0, 1],
  Einsum: [0, 9],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  GroupNormalization: [1, 2],
  PRelu: [1, 1],
  Gather: [0, 0],
}

/** Ops through which an initialiser may reach the data as a parameter of its own kind: scales, shifts, tokens. */
const mixingOps = new Set(["Add", "Sub", "Mul", "Div", "Sum", "Concat", "Expand", "Tile", "Where"])

/** Ops by which a network learns a single number: a temperature, a gate, a bias of one output. */
const scalingOps = new Set(["Add", "Sub", "Mul", "Div"])

/** Inputs whose weight may be computed from stored tensors, as weight standardisation does. */
const computedWeights: Readonly<Record<string, number>> = { Conv: 1, ConvTranspose: 1, Gemm: 1 }

/** Ops that only lay a weight out in another way before it is used. */
const layoutOps = new Set(["Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity", "Cast"])

const floatTypes = ["float32", "float64", "float16", "bfloat16"]

/**
 * Decides which stored tensors are parameters and which are buffers; all others are plain numbers.
 *
 * Weights of layers are parameters, also when an exporter wrote them as `Constant` nodes. A tensor of several numbers that
 * is added to or multiplied with something that already went through a layer is a parameter too (a bias, a layer scale,
 * a position embedding), but neither one that is applied to the input itself, which is preprocessing, nor a mask. Of single
 * numbers only those are that PyTorch gave a name.
 */
export function storedParameters(model: OnnxModel): ReadonlyMap<string, StoredParameter> {
  const known = knownParameters.get(model) ?? findParameters(model)
  knownParameters.set(model, known)
  return known
}

/** Looking at every weight takes a moment, and a file is asked for them many times. */
const knownParameters = new WeakMap<OnnxModel, ReadonlyMap<string, StoredParameter>>()

function findParameters(model: OnnxModel): ReadonlyMap<string, StoredParameter> {
  const stored = storedTensors(model)
  const found = new Map<string, StoredParameter>()
  const keep = (name: string, kind: StoredParameter["kind"]) => {
    const tensor = stored.get(name)
    if (tensor !== undefined && floatTypes.includes(tensor.dataType) && !found.has(name))
      found.set(name, { name, kind, tensor })
  }
  /** What a laid-out weight was before: values that are one stored tensor in another layout. */
  const origin = new Map<string, string>()
  const originOf = (name: string) => (stored.has(name) ? name : origin.get(name))
  /** The weights among the stored tensors that a value is computed from, where it is computed from nothing else. */
  const sources = new Map<string, readonly string[]>()
  const sourcesOf = (name: string) => {
    const tensor = stored.get(name)
    return tensor === undefined ? sources.get(name) : isLarge(tensor) ? [name] : []
  }
  const dependsOnParameter = new Set<string>()
  const isLearned = (name: string) => dependsOnParameter.has(name) || found.has(originOf(name) ?? name)

  for (const node of model.nodes) {
    if (node.op === "Constant") continue
    const computed = node.inputs.map((name) => (name === "" ? [] : sourcesOf(name)))
    if (computed.every((names) => names !== undefined))
      for (const output of node.outputs) sources.set(output, [...new Set(computed.flat())])
    const first = node.inputs[0] ?? ""
    const source = originOf(first)
    if (layoutOps.has(node.op) && node.domain === "" && source !== undefined) {
      for (const output of node.outputs) origin.set(output, source)
      continue
    }
    for (const [position, input] of node.inputs.entries()) {
      const name = originOf(input)
      if (name === undefined && node.domain === "" && computedWeights[node.op] === position)
        for (const each of sources.get(input) ?? []) keep(each, "parameter")
      if (name === undefined) continue
      if (node.op === "BatchNormalization" && position >= 3) keep(name, "buffer")
      else if (isWeight(node, position)) keep(name, "parameter")
      else if (mixingOps.has(node.op) && isMixedIn(node, stored.get(name) as OnnxTensor, isLearned))
        keep(name, "parameter")
      else if (scalingOps.has(node.op) && node.inputs.some(isLearned) && isNamedScale(model, name))
        keep(name, "parameter")
    }
    if (node.inputs.some(isLearned)) for (const output of node.outputs) dependsOnParameter.add(output)
  }
  return found
}

function isWeight({ op, domain }: OnnxNode, position: number): boolean {
  const range = domain === "" ? weightInputs[op] : undefined
  return range !== undefined && position >= range[0] && position <= range[1]
}

/** Tokens that are expanded or joined on have no other operand yet; scales and shifts need one that went through a layer. */
function isMixedIn(node: OnnxNode, tensor: OnnxTensor, isLearned: (name: string) => boolean): boolean {
  if (!isLarge(tensor) || isMask(tensor)) return false
  return ["Expand", "Tile"].includes(node.op) || node.inputs.some(isLearned)
}

/** Names that exporters make up for numbers of their own, such as `onnx::Div_12`, `val_3`, `12`. */
const madeUpName = /^(onnx::|val_|const|scalar|_|\d)|[:/]/i

/** PyTorch keeps the names of what a network learns, so a single number with a name of its own is one of these. */
function isNamedScale({ producer, initializers }: OnnxModel, name: string): boolean {
  const tensor = initializers.get(name)
  if (tensor === undefined || !floatTypes.includes(tensor.dataType) || sizeOf(tensor.shape) !== 1) return false
  return producer.name === "pytorch" && !madeUpName.test(name)
}

/** Single numbers are settings: epsilons, exponents, scales of attention. */
function isLarge({ dataType, shape }: OnnxTensor): boolean {
  return floatTypes.includes(dataType) && sizeOf(shape) > 1
}

/** Zeros and very negative numbers, which are added to keep a softmax away from some positions. */
function isMask(tensor: OnnxTensor): boolean {
  const { data } = tensor.read()
  const numbers = data as Float32Array
  return numbers.some((number) => number <= -100) && numbers.every((number) => number === 0 || number <= -100)
}

/**
 * Everything with stored numbers: initialisers, `Constant` nodes and copies of fresh tensors, by the name of the value.
 *
 * Exporters store equal tensors once and copy them by `Identity`. Two tensors of one and the same number are equal by
 * chance (fresh biases, means and scales), so each copy stands for itself; all others are shared on purpose.
 */
function storedTensors({ initializers, nodes }: OnnxModel): ReadonlyMap<string, OnnxTensor> {
  const stored = new Map(initializers)
  for (const { op, domain, inputs, outputs, attributes } of nodes) {
    const [input = "", output] = [inputs[0], outputs[0]]
    if (domain !== "" || output === undefined) continue
    const value = op === "Constant" ? attributes.get("value") : undefined
    if (value?.kind === "tensor") stored.set(output, value.value)
    const source = op === "Identity" ? stored.get(input) : undefined
    if (source !== undefined && isFresh(source)) stored.set(output, source)
  }
  return stored
}

function isFresh({ dataType, shape, read }: OnnxTensor): boolean {
  if (dataType !== "float32" || sizeOf(shape) === 0) return false
  const { data } = read()
  const numbers = data as Float32Array
  return numbers.every((number) => number === numbers[0])
}
