import { nearest } from "@learnloss/contract"
import { findFinalSoftmax, LearnlossError, mainOutput, type OnnxModel } from "@learnloss/engine"
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

/**
 * Finds a file's logits: the named value or its first output, without a final Softmax.
 *
 * @throws LearnlossError `ONNX_OUTPUT` for a value that the file does not have
 */
export function requireOutput(model: OnnxModel, wanted: string | null): FileOutput {
  const name = wanted ?? mainOutput(model)
  const values = model.nodes.flatMap(({ outputs }) => outputs)
  if (!values.includes(name)) {
    const meant = nearest(name, values)
    throw new LearnlossError("ONNX_OUTPUT", {
      where: `${model.where}, output`,
      expected: "the name of a value that the network computes",
      got: `"${name}"`,
      fix: meant === undefined ? "`learnloss model inspect` lists outputs." : `Did you mean ${meant}?`,
    })
  }
  const ending = findFinalSoftmax(model, name)
  if (ending === undefined) return { logits: name, name, notes: [] }
  if (ending.op === "Sigmoid") {
    const note = `The network ends in a Sigmoid; training reads its values as logits of one class. Name the value before it (${ending.input}) as output if that is not meant.`
    return { logits: name, name, notes: [note] }
  }
  return {
    logits: ending.input,
    name,
    notes: [
      `The final ${ending.op} is cut off: the loss works on logits, and the trained network's output is logits too.`,
    ],
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
