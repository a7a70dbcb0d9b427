import { type DataFlow, dataFlow } from "./data-flow.ts"
import type { OnnxModel, OnnxNode } from "./model.ts"

/** A Softmax, LogSoftmax or Sigmoid that turns a file's scores into probabilities. */
export interface FinalSoftmax {
  readonly op: "Softmax" | "LogSoftmax" | "Sigmoid"
  /** Name of the node. */
  readonly node: string
  /** The scores that it reads. */
  readonly input: string
  readonly output: string
}

/** Ops that hold a layer's weights. */
export const layerOps: ReadonlySet<string> = new Set(["Gemm", "MatMul", "Conv", "ConvTranspose", "Einsum"])

const probabilityOps = new Set(["Softmax", "LogSoftmax", "Sigmoid"])
/** Ops that change neither numbers nor what they mean. */
const carrierOps = new Set(["Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Dropout"])
/** Ops that stand between a last layer and an output. */
const endingOps = new Set([...carrierOps, ...probabilityOps, "Add", "Sub", "Mul", "Div", "Clip", "Resize", "Upsample"])
/** A last convolution may be averaged after it, so that its channels are the classes. */
const averagingOps = new Set(["GlobalAveragePool", "AveragePool", "ReduceMean", "Relu"])

const floatTypes = new Set(["float32", "float16", "float64", "bfloat16", undefined])

/** The first output that holds float numbers; the first of all where there is none. */
export function mainOutput(model: OnnxModel): string {
  const output = model.outputs.find(({ dataType }) => floatTypes.has(dataType)) ?? model.outputs[0]
  return output?.name ?? ""
}

/**
 * The features that the last layer reads: the data input of the Gemm, MatMul or convolution that makes an output, looking
 * through what stands after it (a bias, Softmax, Reshape). An output that no layer makes is its own embedding.
 *
 * @param output the output to look at; the first with float numbers where it is left out
 * @returns the name of a value
 */
export function findEmbedding(model: OnnxModel, output: string = mainOutput(model)): string {
  const flow = dataFlow(model)
  const layer = findEnding(flow, output)?.layer
  const read = layer === undefined ? undefined : dataInput(flow, layer)
  if (read === undefined) return output
  return through(flow, read, new Set(["Identity", "Cast", "Dropout"]))
}

/** The Softmax, LogSoftmax or Sigmoid that an output ends with; undefined where it ends with scores. */
export function findFinalSoftmax(model: OnnxModel, output: string = mainOutput(model)): FinalSoftmax | undefined {
  const flow = dataFlow(model)
  const name = through(flow, output, carrierOps)
  const maker = flow.makers.get(name)
  const input = maker?.inputs[0]
  if (maker === undefined || input === undefined || maker.domain !== "" || !probabilityOps.has(maker.op)) return
  return { op: maker.op as FinalSoftmax["op"], node: maker.name, input, output: name }
}

/** Values from each output's last layer on: scores and probabilities, not features. */
export function endingValues(model: OnnxModel, flow: DataFlow): ReadonlySet<string> {
  return new Set(model.outputs.flatMap(({ name }) => [name, ...(findEnding(flow, name)?.values ?? [])]))
}

interface Ending {
  readonly layer: OnnxNode
  /** What the layer makes, and what is made of that on the way to the output. */
  readonly values: readonly string[]
}

/** Walks back from an output to the layer that makes it, along the one data input of each node. */
function findEnding(flow: DataFlow, output: string): Ending | undefined {
  const values: string[] = []
  let isAveraged = false
  for (let name = output; ; ) {
    values.push(name)
    const maker = flow.makers.get(name)
    const next = maker === undefined ? undefined : dataInput(flow, maker)
    if (maker === undefined || next === undefined || maker.domain !== "") return
    // Behind an average only a convolution is a last layer: others make the features that were averaged.
    if (layerOps.has(maker.op)) return isAveraged && maker.op !== "Conv" ? undefined : { layer: maker, values }
    if (!endingOps.has(maker.op) && !averagingOps.has(maker.op)) return
    isAveraged ||= averagingOps.has(maker.op)
    name = next
  }
}

/** The one input of a node that depends on what is fed; undefined where there are several or none. */
export function dataInput({ fed }: DataFlow, { inputs }: OnnxNode): string | undefined {
  const data = new Set(inputs.filter((name) => fed.has(name)))
  return data.size === 1 ? [...data][0] : undefined
}

function through(flow: DataFlow, start: string, ops: ReadonlySet<string>): string {
  let name = start
  for (let maker = flow.makers.get(name); maker !== undefined; maker = flow.makers.get(name)) {
    const [input] = maker.inputs
    if (maker.domain !== "" || !ops.has(maker.op) || input === undefined || !flow.fed.has(input)) break
    name = input
  }
  return name
}
