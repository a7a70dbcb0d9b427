import { LearnlossError } from "../../errors.ts"
import { expand, slice } from "../../graph/build.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { intTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import { createNetworkBuilder, type NetworkBuilder } from "../../nn/network.ts"
import { dataFlow } from "../data-flow.ts"
import type { OnnxModel, OnnxNode } from "../model.ts"
import { constantNumbers, shapeNumbers } from "./constant-numbers.ts"
import { FixedBatch, fixedShapeInputs, hasEqualParts, type ShapeOf } from "./fixed-batch.ts"
import { foldRules } from "./fold/index.ts"
import { foreignNode, mayStayForeign, type ValueLookup } from "./foreign.ts"
import { emptyTensor, notFloat32, placeOf, unknownOp, unknownValue, viewNode } from "./node-view.ts"
import { type StoredParameter, storedParameters } from "./parameters.ts"
import { recognized } from "./recognize.ts"
import type { ImportContext, NodeView } from "./rule.ts"
import { importRules } from "./rules/index.ts"
import { spreadingOps, spreadOver } from "./spread.ts"

export interface ImportOptions {
  /** Names of the file's values that are wanted. */
  readonly wanted: readonly string[]
  /** Values that stand for values of the file: its inputs, or what a frozen part computes. */
  readonly given: ReadonlyMap<string, Value>
  /** Samples that the graph takes at once. */
  readonly batch: number
  /** Whether a parameter, by its name, stays as it is in the file. */
  readonly isFrozen?: (parameter: string) => boolean
  /** Keeps the statistics of every normalisation. */
  readonly freezeNorm?: boolean
  /** Keeps nodes without a rule as they are where nothing is trained through them; tells what their values are. */
  readonly foreign?: ValueLookup | undefined
}

const checkInputs = "Check that the inputs have the shapes that the network was exported for, or export it again."

/** What is known of a value: a value of the graph, or its numbers where it depends on neither data nor parameters. */
type Known = { readonly value: Value } | { readonly numbers: Tensor }

/**
 * Adds the part of a file that computes the wanted values to the builder's graph. Its weights become parameters under
 * their names in the file; shapes and the arithmetic around them are worked out now, since shapes are static.
 *
 * @throws LearnlossError `ONNX_UNSUPPORTED`, `ONNX_OP_UNKNOWN`, `ONNX_VALUE_UNKNOWN`, `ONNX_DTYPE`, `ONNX_TENSOR`,
 * `ONNX_ATTRIBUTE`, `GRAPH_SHAPE`, `GRAPH_NAME_TAKEN`, and `EXPORT_OP` for a node to be kept that cannot be
 */
export function importNetwork(b: NetworkBuilder, model: OnnxModel, options: ImportOptions): Map<string, Value> {
  const nodes = nodesFor(model, options)
  const walk = new Walk(b, model, options, shapesInFile(model, options, nodes))
  for (const node of nodes) walk.visit(node)
  return new Map(options.wanted.map((name) => [name, walk.valueOf(name)]))
}

/** Shapes of all values for the batch that the file was exported for, where that is fixed and another one is wanted. */
function shapesInFile(model: OnnxModel, options: ImportOptions, nodes: readonly OnnxNode[]): InFile | undefined {
  const { batch } = options
  const fileBatch = model.inputs[0]?.shape?.[0]
  if (typeof fileBatch !== "number" || fileBatch === batch) return undefined
  const graph = new Graph()
  const given = new Map(
    [...options.given].map(([name, { dtype, shape }]) => {
      const rows = ((shape[0] ?? 0) / batch) * fileBatch
      return [name, graph.input(name, dtype, Number.isInteger(rows) ? [rows, ...shape.slice(1)] : shape)]
    }),
  )
  const walk = new Walk(createNetworkBuilder(graph, "inputs"), model, { ...options, batch: fileBatch, given })
  for (const node of nodes) walk.visit(node)
  return { batch: fileBatch, shapeOf: (name) => walk.shapeOf(name) }
}

/** The file's nodes that the wanted values need, without what is given, in order. */
export function nodesFor(model: OnnxModel, { wanted, given }: Pick<ImportOptions, "wanted" | "given">): OnnxNode[] {
  const { reads } = dataFlow(model)
  const needed = new Set(wanted)
  const nodes: OnnxNode[] = []
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output) && !given.has(output))) continue
    nodes.push(node)
    for (const input of reads(node)) if (!given.has(input)) needed.add(input)
  }
  return nodes.reverse()
}

/** A file's fixed batch, and the shapes that its values have for it. */
interface InFile {
  readonly batch: number
  readonly shapeOf: ShapeOf
}

class Walk {
  readonly #b: NetworkBuilder
  readonly #model: OnnxModel
  readonly #options: ImportOptions
  readonly #known = new Map<string, Known>()
  /** Values that depend on what is fed, and so have the batch as their first axis or inside it. */
  readonly #fed = new Set<Value>()
  /** Numbers that were worked out from the shape of something fed, and so hold the batch that the graph has. */
  readonly #followsBatch = new Set<Tensor>()
  /** Values that depend on what is trained; by name, since equal constants are one value of the graph. */
  readonly #learned = new Set<string>()
  readonly #parameters: ReadonlyMap<string, StoredParameter>
  readonly #fixedBatch: FixedBatch | undefined

  /** @param inFile what the file was exported for, where that is another batch */
  constructor(b: NetworkBuilder, model: OnnxModel, options: ImportOptions, inFile?: InFile) {
    this.#b = b
    this.#model = model
    this.#options = options
    this.#parameters = storedParameters(model)
    for (const [name, value] of options.given) {
      if (sizeOf(value.shape) === 0) throw emptyTensor(`${model.where}, value "${name}"`, value.shape)
      this.#known.set(name, { value })
      this.#fed.add(value)
    }
    this.#fixedBatch =
      inFile === undefined ? undefined : new FixedBatch(inFile.batch, inFile.shapeOf, (name) => this.shapeOf(name))
  }

  shapeOf(name: string): Shape | undefined {
    const known = this.#known.get(name)
    return known === undefined ? undefined : shapeOf(known)
  }

  valueOf(name: string): Value {
    const known = this.#find(name)
    return "value" in known ? known.value : this.#b.graph.constant(known.numbers, name)
  }

  visit(node: OnnxNode): void {
    if (node.outputs.every((output) => this.#known.has(output))) return
    const view = viewNode(this.#model.where, this.#model.opset, node)
    const results = this.#compute(node, view)
    const isFed = node.inputs.some((name) => this.#isFed(this.#known.get(name))) || this.#followsLengths(node)
    const isLearned = node.inputs.some((name) => this.#learned.has(name))
    for (const result of results) {
      if (result === undefined) continue
      if ("value" in result && isFed) this.#fed.add(result.value)
      if ("numbers" in result && (isFed || node.inputs.some((name) => this.#holdsBatch(this.#known.get(name)))))
        this.#followsBatch.add(result.numbers)
    }
    for (const [position, output] of node.outputs.entries()) {
      const result = results[position]
      if (output === "" || result === undefined) continue
      this.#known.set(output, result)
      if (isLearned && "value" in result) this.#learned.add(output)
    }
    this.#fixedBatch?.follow(node)
  }

  #compute(node: OnnxNode, view: NodeView): readonly (Known | undefined)[] {
    if (node.op === "Constant" && node.domain === "") return [this.#constant(node, view)]
    const inputs = node.inputs.map((name) => (name === "" ? undefined : this.#find(name)))
    if (node.op === "Shape" || node.op === "Size") {
      const [input] = inputs
      return [{ numbers: shapeNumbers(view, input === undefined ? undefined : shapeOf(input)) }]
    }
    const copied = node.op === "Identity" ? this.#parameters.get(node.outputs[0] ?? "") : undefined
    if (copied !== undefined) return [this.#parameter(copied)]
    const fold = node.domain === "" && Object.hasOwn(foldRules, node.op) ? foldRules[node.op] : undefined
    if (fold !== undefined && inputs.every((input) => input === undefined || "numbers" in input)) {
      const numbers = inputs.map((input) => (input !== undefined && "numbers" in input ? input.numbers : undefined))
      const folded = fold(numbers, view)
      const spread = this.#followsLengths(node) ? spreadOver(this.#b.graph, node, numbers, folded) : undefined
      return spread === undefined ? folded.map((tensor) => ({ numbers: tensor })) : [{ value: spread }]
    }
    const rule = node.domain === "" && Object.hasOwn(importRules, node.op) ? importRules[node.op] : undefined
    if (rule === undefined) return this.#keep(node) ?? refuse(unknownOp(this.#model.where, node))
    try {
      const built = this.#build(node, () => rule.build(this.#context(view, inputs)))
      const values = Array.isArray(built) ? (built as readonly Value[]) : [built as Value]
      return values.map((value) => ({ value: recognized(value) }))
    } catch (error) {
      return (mayStayForeign(node, error) ? this.#keep(node) : undefined) ?? refuse(error)
    }
  }

  /** Takes a node over as it is; undefined where that is not asked for, or something is trained before it. */
  #keep(node: OnnxNode): readonly (Known | undefined)[] | undefined {
    const { foreign, batch } = this.#options
    if (foreign === undefined || node.inputs.some((name) => this.#learned.has(name))) return undefined
    const attributes = foreignNode(this.#model, node, batch, foreign)
    const inputs = attributes.inputs.map((position) => this.valueOf(node.inputs[position] as string))
    const values = this.#b.graph.add("Foreign", inputs, attributes)
    return node.outputs.map((_, position) => {
      const value = values[attributes.outputs.findIndex((output) => output.position === position)]
      return value === undefined ? undefined : { value }
    })
  }

  /** Adds what a node stands for; where the graph refuses it, the message names the node of the file. */
  #build<T>(node: OnnxNode, build: () => T): T {
    try {
      return build()
    } catch (error) {
      if (!(error instanceof LearnlossError) || error.code !== "GRAPH_SHAPE") throw error
      const { expected, got } = error.details
      const where = placeOf(this.#model.where, node)
      throw new LearnlossError(error.code, { where, expected, got, fix: checkInputs, cause: error })
    }
  }

  #context(view: NodeView, found: readonly (Known | undefined)[]): ImportContext {
    const b = this.#b
    const inputs = this.#forThisBatch(view, found)
    const numbersAt = (position: number): Tensor | undefined => {
      const input = inputs[position]
      return input !== undefined && "numbers" in input ? input.numbers : undefined
    }
    const fixedAt = (position: number, dtype: Tensor["dtype"], word: string): readonly number[] | undefined => {
      if (inputs[position] === undefined) return undefined
      const numbers = numbersAt(position)
      if (numbers === undefined || numbers.dtype !== dtype)
        return view.fail(`${word} in input ${position} that do not depend on data`, numbers?.dtype ?? "computed ones")
      return Array.from(numbers.data as ArrayLike<number | bigint>, Number)
    }
    const scaleName = view.node.inputs[1] ?? ""
    return {
      ...view,
      b,
      graph: b.graph,
      inputCount: view.node.inputs.length,
      hasInput: (position) => inputs[position] !== undefined,
      input: (position) => {
        const input = inputs[position]
        if (input === undefined) return view.fail(`an input ${position}`, `${view.node.inputs.length} inputs`)
        return "value" in input ? input.value : b.graph.constant(input.numbers, view.node.inputs[position])
      },
      constant: numbersAt,
      constantInts: (position) => fixedAt(position, "int64", "whole numbers"),
      constantFloats: (position) => fixedAt(position, "float32", "numbers"),
      isNormFrozen: this.#isNormFrozen(scaleName),
    }
  }

  #isFed(known: Known | undefined): boolean {
    return known !== undefined && "value" in known && this.#fed.has(known.value)
  }

  #holdsBatch(known: Known | undefined): boolean {
    return known !== undefined && "numbers" in known && this.#followsBatch.has(known.numbers)
  }

  /** Whether a node spreads something over as many rows as a batch has. */
  #followsLengths({ op, inputs }: OnnxNode): boolean {
    const position = spreadingOps[op]
    return position !== undefined && this.#holdsBatch(this.#known.get(inputs[position] ?? ""))
  }

  #isFrozen(name: string): boolean {
    return this.#options.isFrozen?.(name) ?? false
  }

  #isNormFrozen(scale: string): boolean {
    return this.#options.freezeNorm === true || (this.#parameters.has(scale) && this.#isFrozen(scale))
  }

  #find(name: string): Known {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const stored = this.#model.initializers.get(name)
    if (stored === undefined) throw unknownValue(this.#model.where, name)
    const parameter = this.#parameters.get(name)
    const made = parameter === undefined ? { numbers: stored.read() } : this.#parameter(parameter)
    this.#known.set(name, made)
    return made
  }

  #parameter({ name, kind, tensor }: StoredParameter): Known {
    if (sizeOf(tensor.shape) === 0) throw emptyTensor(`${this.#model.where}, weight "${name}"`, tensor.shape)
    if (kind === "buffer" ? this.#isBufferFixed(name) : this.#isFrozen(name)) return { numbers: tensor.read() }
    if (tensor.dataType !== "float32") throw notFloat32(`${this.#model.where}, weight "${name}"`, tensor.dataType)
    this.#learned.add(name)
    return { value: this.#b.parameter(name, tensor.shape, () => tensor.read(), kind) }
  }

  /** Statistics belong to the normalisation that reads them; they stay fixed when its scale does. */
  #isBufferFixed(name: string): boolean {
    if (this.#options.freezeNorm === true) return true
    const reader = this.#model.nodes.find(({ op, inputs }) => op === "BatchNormalization" && inputs.includes(name))
    return reader !== undefined && this.#isNormFrozen(reader.inputs[1] ?? "")
  }

  #constant(node: OnnxNode, view: NodeView): Known {
    const name = node.outputs[0] ?? ""
    const parameter = this.#parameters.get(name)
    if (parameter !== undefined) return this.#parameter(parameter)
    return { numbers: constantNumbers(view) }
  }

  /** Files that were exported for a fixed batch hold that number in shapes; the one that the graph has takes its place. */
  #forThisBatch(view: NodeView, inputs: readonly (Known | undefined)[]): readonly (Known | undefined)[] {
    const fixedBatch = this.#fixedBatch
    if (fixedBatch === undefined) return inputs
    const { node } = view
    const { op, inputs: names } = node
    if (op === "Concat") {
      const rows = fixedBatch.leftBehind(node)
      const [first] = inputs
      const joined = view.int("axis", 0) + (view.int("axis", 0) < 0 && first !== undefined ? shapeOf(first).length : 0)
      if (rows === undefined || rows.axis === joined) return inputs
      return inputs.map((input, index) => {
        if (input === undefined || !rows.left.includes(index) || !this.#isRepeated(input, rows.axis)) return input
        const value = "value" in input ? input.value : this.#b.graph.constant(input.numbers, names[index])
        return { value: expand(slice(value, rows.axis, 0, 1), value.shape.with(rows.axis, rows.length)) }
      })
    }
    const position = fixedShapeInputs[op]
    const fixed = position === undefined ? undefined : inputs[position]
    if (position === undefined || fixed === undefined || !("numbers" in fixed) || fixed.numbers.dtype !== "int64")
      return inputs
    if (this.#followsBatch.has(fixed.numbers) || fixed.numbers.data.length === 0) return inputs
    const target = fixedBatch.targetOf(node)
    return target === undefined ? inputs : inputs.with(position, { numbers: intTensor([target.length], target) })
  }

  /** Whether all positions along an axis hold the same, as class tokens do that a file repeats for its batch. */
  #isRepeated(known: Known, axis: number): boolean {
    if (shapeOf(known)[axis] === 1) return true
    if ("numbers" in known) return hasEqualParts(known.numbers, axis)
    const node = this.#b.graph.producerOf(known.value)
    const [source] = node?.op === "Expand" ? node.inputs : []
    return source !== undefined && (source.shape[axis - known.value.shape.length + source.shape.length] ?? 1) === 1
  }
}

function refuse(error: unknown): never {
  throw error
}

function shapeOf(known: Known): Shape {
  return "value" in known ? known.value.shape : known.numbers.shape
}
