import { nearest } from "@learnloss/contract"
import { LearnlossError, type OnnxModel } from "@learnloss/engine"
import type { SampleShape } from "./taps.ts"

/** The values of a file that a classifier is made of. */
export interface FileOutput {
  /** [B, classes], before any Softmax. */
  readonly logits: string
  /** What the file calls the output that the logits stand for. */
  readonly name: string
  /** What was decided, in sentences. */
  readonly notes: readonly string[]
}

/** Ops that turn logits into probabilities; the loss does that itself, and better. */
const probabilityOps = ["Softmax", "LogSoftmax"]

/**
 * Finds a file's logits: the named value or its first output, without a final Softmax.
 *
 * @throws LearnlossError `ONNX_OUTPUT` for a value that the file does not have
 */
export function requireOutput(model: OnnxModel, wanted: string | null): FileOutput {
  const name = wanted ?? model.outputs[0]?.name
  const makers = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const maker = name === undefined ? undefined : makers.get(name)
  if (name === undefined || maker === undefined) {
    const meant = name === undefined ? undefined : nearest(name, [...makers.keys()])
    throw new LearnlossError("ONNX_OUTPUT", {
      where: `${model.where}, output`,
      expected: "the name of a value that the network computes",
      got: name === undefined ? "a file without outputs" : `"${name}"`,
      fix: meant === undefined ? "`learnloss model inspect` lists outputs." : `Did you mean ${meant}?`,
    })
  }
  if (maker.domain !== "" || !probabilityOps.includes(maker.op)) return { logits: name, name, notes: [] }
  return {
    logits: maker.inputs[0] as string,
    name,
    notes: [`The final ${maker.op} is cut off: the loss works on logits, and so does the trained network's output.`],
  }
}

/**
 * Makes sure that logits fit the classes of the data.
 *
 * @throws LearnlossError `ONNX_OUTPUT`
 */
export function requireClasses(
  model: OnnxModel,
  logits: string,
  sample: SampleShape | undefined,
  classes: number,
): void {
  const count = sample?.rows === 1 ? sample.rest.reduce((product, length) => product * length, 1) : undefined
  if (count === classes) return
  throw new LearnlossError("ONNX_OUTPUT", {
    where: `${model.where}, output ${logits}`,
    expected: `one number for each of ${classes} classes and image, [B, ${classes}]`,
    got: sample === undefined ? "a value without a batch axis" : `[B, ${sample.rest.join(", ")}]`,
    fix: "Use newHead (--new-head) to put a new last layer on it, or name another value with output (--output).",
  })
}
