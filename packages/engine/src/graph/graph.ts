import { LearnlossError } from "../errors.ts"
import type { OpAttributes, OpType } from "./ops.ts"
import { inferOutputs } from "./shape-rules/index.ts"
import type { DataType, Shape, Tensor } from "./tensor.ts"

/** A tensor that flows through a graph: an input, a constant, or the output of a node. */
export interface Value {
  readonly graph: Graph
  /** Unique inside its graph. */
  readonly name: string
  readonly dtype: DataType
  readonly shape: Shape
}

/** One application of an op. */
export interface Node<K extends OpType = OpType> {
  readonly op: K
  readonly inputs: readonly Value[]
  readonly attributes: OpAttributes[K]
  readonly outputs: readonly Value[]
}

/** A node whose `op` tells the type of its attributes. */
export type AnyNode = { [K in OpType]: Node<K> }[OpType]

/**
 * A computation with static shapes, built by adding nodes; nodes stand in topological order because a node can only
 * use values that exist. Equal nodes on equal inputs are added once, and so are equal constants.
 */
export class Graph {
  readonly #nodes: AnyNode[] = []
  readonly #inputs = new Map<string, Value>()
  readonly #constants = new Map<Value, Tensor>()
  readonly #known = new Map<string, readonly Value[]>()
  readonly #producers = new Map<Value, AnyNode>()
  readonly #names = new Set<string>()

  get nodes(): readonly AnyNode[] {
    return this.#nodes
  }

  get inputs(): readonly Value[] {
    return [...this.#inputs.values()]
  }

  get constants(): ReadonlyMap<Value, Tensor> {
    return this.#constants
  }

  /** The node that computes a value; undefined for inputs and constants. */
  producerOf(value: Value): AnyNode | undefined {
    return this.#producers.get(value)
  }

  /**
   * A value that is fed at every run.
   *
   * @throws LearnlossError `GRAPH_NAME_TAKEN`
   */
  input(name: string, dtype: DataType, shape: Shape): Value {
    if (this.#names.has(name)) {
      throw new LearnlossError("GRAPH_NAME_TAKEN", {
        where: `graph input ${name}`,
        expected: "a name that is not in use",
        got: "a second value of that name",
      })
    }
    const value = this.#value(name, dtype, shape)
    this.#inputs.set(name, value)
    return value
  }

  /** A value fixed when the graph is built, such as a scalar or a trained weight. */
  constant(tensor: Tensor, name = "constant"): Value {
    const key =
      tensor.data.length <= largestShared ? `constant ${tensor.dtype} [${tensor.shape}] ${digest(tensor)}` : ""
    const known = this.#known.get(key)?.find((value) => hasSameBytes(this.#constants.get(value) as Tensor, tensor))
    if (known !== undefined) return known
    const value = this.#value(this.#uniqueName(name), tensor.dtype, tensor.shape)
    this.#constants.set(value, tensor)
    if (key !== "") this.#known.set(key, [...(this.#known.get(key) ?? []), value])
    return value
  }

  /**
   * Adds one node and returns its outputs, or those of an equal node that is there already.
   *
   * @throws LearnlossError `GRAPH_SHAPE` or `GRAPH_DTYPE` when the inputs do not fit the op
   */
  add<K extends OpType>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): readonly Value[] {
    const key = `${op} ${inputs.map((value) => value.name).join(",")} ${JSON.stringify(attributes)}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // A colon, so that no weight of an imported network has this name.
    const prefix = `${op}:${this.#nodes.length}`
    const outputs = inferOutputs(op, inputs, attributes, prefix).map(({ dtype, shape }, position) =>
      this.#value(this.#uniqueName(position === 0 ? prefix : `${prefix}_${position}`), dtype, shape),
    )
    const node = { op, inputs, attributes, outputs } as AnyNode
    this.#nodes.push(node)
    for (const output of outputs) this.#producers.set(output, node)
    this.#known.set(key, outputs)
    return outputs
  }

  #value(name: string, dtype: DataType, shape: Shape): Value {
    this.#names.add(name)
    return { graph: this, name, dtype, shape }
  }

  #uniqueName(wanted: string): string {
    let name = wanted
    for (let suffix = 2; this.#names.has(name); suffix++) name = `${wanted}_${suffix}`
    return name
  }
}

/** The nodes that the given values need, each after what it reads, following the order of the values. */
export function nodesNeededFor(graph: Graph, values: readonly Value[]): AnyNode[] {
  const ordered: AnyNode[] = []
  const seen = new Set<AnyNode>()
  // An explicit stack: graphs of hundreds of layers would exhaust recursion.
  for (const root of values) {
    const stack: { node: AnyNode; next: number }[] = []
    const visit = (value: Value) => {
      const node = graph.producerOf(value)
      if (node !== undefined && !seen.has(node)) {
        seen.add(node)
        stack.push({ node, next: 0 })
      }
    }
    visit(root)
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++]
      if (input !== undefined) visit(input)
      else ordered.push((stack.pop() as { node: AnyNode }).node)
    }
  }
  return ordered
}

/** Constants of up to so many elements are compared with those that are there; weights are not. */
const largestShared = 2 ** 17

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function digest(tensor: Tensor): number {
  let hash = 0x811c9dc5
  for (const byte of bytesOf(tensor)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

function hasSameBytes(a: Tensor, b: Tensor): boolean {
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}
