import { reshape, split } from "../graph/build.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import { type AnyNode, Graph, nodesNeededFor, type Value } from "../graph/graph.ts"
import { sizeOf } from "../graph/tensor.ts"
import { channelBlend } from "./channel-blend.ts"
import type { Device } from "./device.ts"
import { fitDevice } from "./fit-device.ts"
import { chosenLowering, type LoweringPlan } from "./plan.ts"
import { type ConvProduct, factorsOf, productKey, productOf } from "./product.ts"
import { simplify } from "./simplify.ts"
import { type StatisticsZeros, statisticsZeros } from "./statistics-zeros.ts"

/** A graph of ops that ONNX Runtime has. */
export interface LoweredGraph {
  readonly graph: Graph
  readonly outputs: NamedOutputs
}

/** One flat input whose parts take the place of several inputs. */
export interface Pack {
  /** Name of the flat input, [sum of the members' sizes]; it may be an input of the graph itself. */
  readonly name: string
  /** Inputs of the graph, in the order in which they follow one another. */
  readonly members: readonly Value[]
}

/**
 * Rewrites what the outputs need: every convolution product as its plan says, and without the marks that only
 * differentiation reads (`StopGradient`, `ScaleGradient`). The inputs keep their names, save those that
 * a pack holds: a step then feeds and updates one tensor and not one per parameter.
 *
 * @param device what will run the graph: each has kernels of its own
 * @throws LearnlossError `UNKNOWN_LOWERING`
 */
export function lower(
  graph: Graph,
  outputs: NamedOutputs,
  plan: LoweringPlan,
  packs: readonly Pack[] = [],
  device: Device = "cpu",
): LoweredGraph {
  const lowered = new Graph()
  const mapped = new Map<Value, Value>()
  const packed = new Set(packs.flatMap(({ members }) => members))
  for (const input of graph.inputs) {
    if (!packed.has(input)) mapped.set(input, lowered.input(input.name, input.dtype, input.shape))
  }
  for (const pack of packs) unpack(pack, lowered, mapped)
  const map = (value: Value): Value => {
    const known = mapped.get(value)
    if (known !== undefined) return known
    const tensor = graph.constants.get(value)
    if (tensor === undefined) throw new Error(`internal: ${value.name} was read before it was made`)
    const constant = lowered.constant(tensor, value.name)
    mapped.set(value, constant)
    return constant
  }
  const nodes = nodesNeededFor(graph, Object.values(outputs))
  const zeros = statisticsZeros(nodes)
  for (const node of nodes) {
    const results = lowerNode(node, node.inputs.map(map), lowered, plan, device, zeros)
    for (const [position, output] of node.outputs.entries()) mapped.set(output, results[position] as Value)
  }
  const named = Object.entries(outputs).map(([name, value]) => [name, map(value)])
  const fitted = fitDevice(lowered, Object.fromEntries(named), device)
  return simplify(fitted.graph, fitted.outputs)
}

function unpack({ name, members }: Pack, lowered: Graph, mapped: Map<Value, Value>): void {
  const sizes = members.map(({ shape }) => sizeOf(shape))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const flat = lowered.inputs.find((input) => input.name === name) ?? lowered.input(name, "float32", [total])
  const parts = members.length === 1 ? [flat] : split(flat, 0, sizes)
  for (const [index, member] of members.entries()) mapped.set(member, reshape(parts[index] as Value, member.shape))
}

function lowerNode(
  node: AnyNode,
  inputs: readonly Value[],
  lowered: Graph,
  plan: LoweringPlan,
  device: Device,
  zeros: StatisticsZeros,
): readonly Value[] {
  if (node.op === "StopGradient" || node.op === "ScaleGradient") return [inputs[0] as Value]
  if (node.op === "BatchNormalization" && node.attributes.training) {
    const [x, scale, bias, mean] = inputs as [Value, Value, Value, Value]
    return lowered.add(node.op, [x, scale, bias, ...zeros.next(mean)], node.attributes)
  }
  if (node.op === "ChannelBlend") return [channelBlend(inputs, device)]
  const product = productOf(node)
  if (product === undefined) return lowered.add(node.op, inputs, node.attributes)
  // ONNX has an op for it, which a plan without measured choices keeps.
  const isKept = node.op === "ConvTranspose" && plan[productKey(product)] === undefined
  if (isKept) return lowered.add(node.op, inputs, node.attributes)
  return [chosenLowering(product, plan).build(product, factorsOf(node, inputs))]
}

/** The different convolution products that the outputs need. */
export function productsOf(graph: Graph, outputs: NamedOutputs): ConvProduct[] {
  const products = new Map<string, ConvProduct>()
  for (const node of nodesNeededFor(graph, Object.values(outputs))) {
    const product = productOf(node)
    if (product !== undefined) products.set(productKey(product), product)
  }
  return [...products.values()]
}
