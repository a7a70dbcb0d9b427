import { InternalError, LearnlossError } from "../errors.ts"
import { type AnyNode, type Graph, nodesNeededFor, type Value } from "./graph.ts"
import { formOf } from "./node-form.ts"
import { isSameShape, type Tensor } from "./tensor.ts"

/** Whole numbers that follow the batch: `constant + slope * batch`, one of each per number. */
export interface LinearNumbers {
  readonly constant: readonly number[]
  readonly slope: readonly number[]
}

/** What of a graph with static shapes changes with the batch that it is built for. */
export interface BatchDependence {
  /** How the constant input of a node at a position follows the batch; undefined where it does not. */
  numbersOf(node: AnyNode, position: number): LinearNumbers | undefined
  /** How a constant of the graph follows the batch, [numbers] int64; undefined where it does not. */
  constantOf(value: Value): LinearNumbers | undefined
  /** Whether an axis of an input or of a node's output changes with the batch. */
  isOpen(value: Value, axis: number): boolean
}

/**
 * Compares a graph with the same graph built for another batch. Shapes, ends and repetitions are linear in the batch,
 * so two batches tell how each of them follows it.
 *
 * @throws LearnlossError `EXPORT_BATCH` for constants that hold the batch otherwise
 * @throws InternalError where the two differ in more than such numbers
 */
export function followBatch(
  graph: Graph,
  nodes: readonly AnyNode[],
  inputs: readonly Value[],
  other: { readonly graph: Graph; readonly outputs: Readonly<Record<string, Value>> },
): BatchDependence {
  const otherNodes = nodesNeededFor(other.graph, Object.values(other.outputs))
  if (otherNodes.length !== nodes.length) throw differs(`${nodes.length} and ${otherNodes.length} nodes`)
  const twins = new Map<Value, Value>()
  for (const input of inputs) {
    const twin = other.graph.inputs.find(({ name }) => name === input.name)
    if (twin === undefined) throw differs(`no input ${input.name}`)
    twins.set(input, twin)
  }
  const batch = (inputs[0] as Value).shape[0] as number
  const otherBatch = (twins.get(inputs[0] as Value) as Value).shape[0] as number
  const numbers = new Map<AnyNode, (LinearNumbers | undefined)[]>()
  const constants = new Map<Value, LinearNumbers | undefined>()
  for (const [index, node] of nodes.entries()) {
    const twin = otherNodes[index] as AnyNode
    const [form, otherForm] = [formOf(node), formOf(twin)]
    const isSameOp = node.op === twin.op && form.opType === otherForm.opType
    if (!isSameOp || JSON.stringify(form.attributes) !== JSON.stringify(otherForm.attributes))
      throw differs(`${node.op} and ${twin.op}`)
    for (const [position, output] of node.outputs.entries()) twins.set(output, twin.outputs[position] as Value)
    for (const [position, input] of node.inputs.entries()) {
      const tensor = graph.constants.get(input)
      if (tensor === undefined || constants.has(input)) continue
      const twinTensor = other.graph.constants.get(twin.inputs[position] as Value)
      constants.set(input, compareConstants(input, tensor, twinTensor, batch, otherBatch))
    }
    numbers.set(
      node,
      (form.constants ?? []).map(({ data }, position) =>
        linear(numbersIn(data), numbersIn(otherForm.constants?.[position]?.data ?? []), batch, otherBatch),
      ),
    )
  }
  return {
    numbersOf: (node, position) => numbers.get(node)?.[position],
    constantOf: (value) => constants.get(value),
    isOpen: (value, axis) => value.shape[axis] !== (twins.get(value) ?? value).shape[axis],
  }
}

function compareConstants(
  { name }: Value,
  ours: Tensor,
  theirs: Tensor | undefined,
  batch: number,
  otherBatch: number,
): LinearNumbers | undefined {
  if (theirs === undefined) throw differs(`a constant ${name} that the other lacks`)
  if (ours.data === theirs.data) return undefined
  const isSame = isSameShape(ours.shape, theirs.shape)
  if (isSame && (ours.data as Float32Array).every((number, index) => Object.is(number, theirs.data[index])))
    return undefined
  if (isSame && ours.dtype === "int64" && ours.shape.length === 1)
    return linear(numbersIn(ours.data), numbersIn(theirs.data), batch, otherBatch)
  throw new LearnlossError("EXPORT_BATCH", {
    where: `constant ${name}`,
    expected: "numbers that do not depend on how many samples there are",
    got: `[${ours.shape.join(", ")}] for ${batch} samples and [${theirs.shape.join(", ")}] for ${otherBatch}`,
    fix: "The network computes with the size of the batch itself, so it cannot be written for any batch.",
  })
}

function numbersIn(data: ArrayLike<number | bigint>): number[] {
  return Array.from(data, Number)
}

function linear(
  ours: readonly number[],
  theirs: readonly number[],
  batch: number,
  otherBatch: number,
): LinearNumbers | undefined {
  if (ours.length !== theirs.length) throw differs(`${ours.length} and ${theirs.length} numbers`)
  if (ours.every((number, index) => number === theirs[index])) return undefined
  const slope = ours.map((number, index) => ((theirs[index] as number) - number) / (otherBatch - batch))
  if (!slope.every(Number.isInteger)) throw differs(`${ours} and ${theirs}, which do not follow the batch`)
  return { slope, constant: ours.map((number, index) => number - (slope[index] as number) * batch) }
}

function differs(how: string): InternalError {
  return new InternalError(`a graph built for two batches has ${how}`)
}
