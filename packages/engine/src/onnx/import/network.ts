import { LearnlossError } from "../../errors.ts"
import { expand } from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import { floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import type { NetworkBuilder } from "../../nn/network.ts"
import type { OnnxModel, OnnxNode } from "../model.ts"
import { foldRules } from "./fold/index.ts"
import { placeOf, viewNode, waysOut } from "./node-view.ts"
import { type StoredParameter, storedParameters } from "./parameters.ts"
import type { ImportContext, NodeView } from "./rule.ts"
import { importRules } from "./rules/index.ts"

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
}

const checkInputs = "Check that the inputs have the shapes that the network was exported for, or export it again."

/** What is known of a value: a value of the graph, or its numbers where it depends on neither data nor parameters. */
type Known = { readonly value: Value } | { readonly numbers: Tensor }

/**
 * Adds the part of a file that computes the wanted values to the builder's graph. Its weights become parameters under
 * their names in the file; shapes and the arithmetic around them are worked out now, since shapes are static.
 *
 * @throws LearnlossError `ONNX_UNSUPPORTED`, `ONNX_OP_UNKNOWN`, `ONNX_VALUE_UNKNOWN`, `ONNX_DTYPE`, `ONNX_BATCH_FIXED`,
 * `GRAPH_SHAPE`
 */
export function importNetwork(b: NetworkBuilder, model: OnnxModel, options: ImportOptions): Map<string, Value> {
  const walk = new Walk(b, model, options)
  for (const node of nodesFor(model, options)) walk.visit(node)
  return new Map(options.wanted.map((name) => [name, walk.valueOf(name)]))
}

/** The file's nodes that the wanted values need, without what is given, in order. */
export function nodesFor(model: OnnxModel, { wanted, given }: Pick<ImportOptions, "wanted" | "given">): OnnxNode[] {
  const needed = new Set(wanted)
  const nodes: OnnxNode[] = []
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output) && !given.has(output))) continue
    nodes.push(node)
    for (const input of node.inputs) if (!given.has(input)) needed.add(input)
  }
  return nodes.reverse()
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
  readonly #parameters: ReadonlyMap<string, StoredParameter>
  /** The batch that the file was exported for, where it is fixed, and the one it is imported for. */
  readonly #fileBatch: number | undefined
  readonly #batch: number

  constructor(b: NetworkBuilder, model: OnnxModel, options: ImportOptions) {
    this.#b = b
    this.#model = model
    this.#options = options
    this.#parameters = storedParameters(model)
    for (const [name, value] of options.given) {
      this.#known.set(name, { value })
      this.#fed.add(value)
    }
    const first = model.inputs[0]?.shape?.[0]
    this.#fileBatch = typeof first === "number" ? first : undefined
    this.#batch = options.batch
  }

  valueOf(name: string): Value {
    const known = this.#find(name)
    return "value" in known ? known.value : this.#b.graph.constant(known.numbers, name)
  }

  visit(node: OnnxNode): void {
    if (node.outputs.every((output) => this.#known.has(output))) return
    const view = viewNode(this.#model.where, this.#model.opset, node)
    const results = this.#compute(node, view)
    const isFed = node.inputs.some((name) => this.#isFed(this.#known.get(name)))
    for (const result of results) {
      if ("value" in result && isFed) this.#fed.add(result.value)
      if ("numbers" in result && (isFed || node.inputs.some((name) => this.#holdsBatch(this.#known.get(name)))))
        this.#followsBatch.add(result.numbers)
    }
    for (const [position, output] of node.outputs.entries()) {
      const result = results[position]
      if (output !== "" && result !== undefined) this.#known.set(output, result)
    }
  }

  #compute(node: OnnxNode, view: NodeView): readonly Known[] {
    if (node.op === "Constant" && node.domain === "") return [this.#constant(node, view)]
    const inputs = node.inputs.map((name) => (name === "" ? undefined : this.#find(name)))
    if (node.op === "Shape" || node.op === "Size") return [{ numbers: shapeNumbers(view, inputs[0]) }]
    const copied = node.op === "Identity" ? this.#parameters.get(node.outputs[0] ?? "") : undefined
    if (copied !== undefined) return [this.#parameter(copied)]
    const fold = node.domain === "" && Object.hasOwn(foldRules, node.op) ? foldRules[node.op] : undefined
    if (fold !== undefined && inputs.every((input) => input === undefined || "numbers" in input)) {
      const numbers = inputs.map((input) => (input !== undefined && "numbers" in input ? input.numbers : undefined))
      return fold(numbers, view).map((tensor) => ({ numbers: tensor }))
    }
    const rule = node.domain === "" && Object.hasOwn(importRules, node.op) ? importRules[node.op] : undefined
    if (rule === undefined) throw unknownOp(this.#model.where, node)
    const built = this.#build(node, () => rule.build(this.#context(view, inputs)))
    return (Array.isArray(built) ? (built as readonly Value[]) : [built as Value]).map((value) => ({ value }))
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
    if (stored === undefined) {
      throw new LearnlossError("ONNX_VALUE_UNKNOWN", {
        where: this.#model.where,
        expected: "a value that the network computes",
        got: `"${name}", which nothing makes`,
        fix: "Name an output of one of its nodes; `learnloss model inspect` lists taps.",
      })
    }
    const parameter = this.#parameters.get(name)
    const made = parameter === undefined ? { numbers: stored.read() } : this.#parameter(parameter)
    this.#known.set(name, made)
    return made
  }

  #parameter({ name, kind, tensor }: StoredParameter): Known {
    if (kind === "buffer" ? this.#isBufferFixed(name) : this.#isFrozen(name)) return { numbers: tensor.read() }
    if (tensor.dataType !== "float32") {
      throw new LearnlossError("ONNX_DTYPE", {
        where: `${this.#model.where}, weight "${name}"`,
        expected: "float32, which training needs",
        got: tensor.dataType,
        fix: "Freeze it (--freeze), or export the network in float32.",
      })
    }
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
    const tensor = view.tensor("value")
    if (tensor !== undefined) return { numbers: tensor }
    if (view.has("value_float")) return { numbers: floatTensor([], Float32Array.of(view.float("value_float", 0))) }
    if (view.has("value_int")) return { numbers: intTensor([], [view.int("value_int", 0)]) }
    const [floats, ints] = [view.floats("value_floats"), view.ints("value_ints")]
    if (floats !== undefined) return { numbers: floatTensor([floats.length], Float32Array.from(floats)) }
    if (ints !== undefined) return { numbers: intTensor([ints.length], ints) }
    return view.fail("numbers", "a constant of strings or a sparse one")
  }

  /**
   * Files that were exported for a fixed batch hold that number in shapes; where it cannot fit, the batch that the graph
   * has takes its place.
   */
  #forThisBatch(view: NodeView, inputs: readonly (Known | undefined)[]): readonly (Known | undefined)[] {
    const fileBatch = this.#fileBatch
    if (fileBatch === undefined || fileBatch === this.#batch) return inputs
    const { op } = view.node
    if (!inputs.some((input) => this.#isFed(input))) return inputs
    if (op === "Reshape" || op === "Expand") {
      const [data, shape] = inputs
      if (data === undefined || !("value" in data) || shape === undefined || !("numbers" in shape)) return inputs
      if (this.#holdsBatch(shape) || shape.numbers.dtype !== "int64") return inputs
      const wanted = Array.from(shape.numbers.data as ArrayLike<number | bigint>, Number)
      const fitted = this.#refitted(op, wanted, data.value.shape, fileBatch)
      return [data, { numbers: intTensor([fitted.length], fitted) }]
    }
    if (op === "Concat" && fileBatch === 1) {
      const rows = (known: Known | undefined) => (known === undefined || !("value" in known) ? 1 : known.value.shape[0])
      if (!inputs.some((input) => rows(input) === this.#batch) || view.int("axis", 0) === 0) return inputs
      return view.node.inputs.map((name) => {
        const value = this.valueOf(name)
        return { value: value.shape[0] === 1 ? expand(value, [this.#batch, ...value.shape.slice(1)]) : value }
      })
    }
    return inputs
  }

  #refitted(op: string, wanted: readonly number[], from: Shape, fileBatch: number): readonly number[] {
    const [rows = 0, ...rest] = wanted
    if (rows <= 0 || rows % fileBatch !== 0) return wanted
    if (op === "Expand" && from.length === wanted.length && from[0] === this.#batch && rows === fileBatch)
      return [this.#batch, ...rest]
    const fixed = rest.reduce((product, length, axis) => product * (length === 0 ? (from[axis + 1] ?? 1) : length), 1)
    const isFilled = rest.some((length) => length < 0)
    const fits = isFilled ? sizeOf(from) % (rows * -fixed) === 0 : sizeOf(from) === rows * fixed
    if (op === "Expand" || (fits && !isFilled)) return wanted
    return [(rows / fileBatch) * this.#batch, ...rest]
  }
}

function shapeNumbers(view: NodeView, input: Known | undefined): Tensor {
  if (input === undefined) return view.fail("an input", "none")
  const { shape } = "value" in input ? input.value : input.numbers
  if (view.node.op === "Size") return intTensor([], [sizeOf(shape)])
  const part = shape.slice(view.int("start", 0), view.has("end") ? view.int("end", shape.length) : undefined)
  return intTensor([part.length], part)
}

function unknownOp(where: string, node: OnnxNode): LearnlossError {
  return new LearnlossError("ONNX_OP_UNKNOWN", {
    where: placeOf(where, node),
    expected: "an op that learnloss can train through (`learnloss model ops` lists them)",
    got: node.domain === "" ? node.op : `${node.op} of the domain ${node.domain}`,
    fix: waysOut,
  })
}
