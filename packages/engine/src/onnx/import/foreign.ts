import { LearnlossError } from "../../errors.ts"
import type { OnnxAttribute } from "../../graph/onnx-attribute.ts"
import { opset } from "../../graph/onnx-forms.ts"
import type { ForeignAttributes } from "../../graph/ops.ts"
import { type DataType, type Shape, sizeOf } from "../../graph/tensor.ts"
import type { OnnxAttributeValue, OnnxDataType, OnnxModel, OnnxNode } from "../model.ts"
import { sourceOf } from "../proto.ts"
import { emptyTensor, placeOf } from "./node-view.ts"

/** Type and shape of a value of the file, by its name, for a number of samples; undefined where nobody knows them. */
export type ValueLookup = (
  name: string,
  batch: number,
) => { readonly dataType: OnnxDataType; readonly shape: Shape } | undefined

/** Ops whose form changed after opset 11 so that what an older file says would be read as something else in ours. */
const changedIn: Readonly<Record<string, number>> = {
  Softmax: 13,
  LogSoftmax: 13,
  Hardmax: 13,
  Squeeze: 13,
  Unsqueeze: 13,
  Split: 13,
  ReduceSum: 13,
}

/** Ops that behave in another way while a network is trained, so that only their rules know what the file means. */
const trainingOps = new Set(["BatchNormalization", "Dropout"])

/** Ops that give as many rows as they find something. */
const findingOps = new Set(["NonZero", "NonMaxSuppression", "Unique", "Compress"])

/** Whether an op that has a rule may be kept as it is where its rule does not know the node's form. */
export function mayStayForeign({ op, domain }: OnnxNode, error: unknown): boolean {
  const isRefused = error instanceof LearnlossError && ["ONNX_UNSUPPORTED", "GRAPH_SHAPE"].includes(error.code)
  return isRefused && domain === "" && !trainingOps.has(op)
}

/**
 * A node that nothing is trained through, to be kept as it stands in the file.
 *
 * @throws LearnlossError `EXPORT_OP` for a node that our graphs cannot hold
 */
export function foreignNode(model: OnnxModel, node: OnnxNode, batch: number, lookup: ValueLookup): ForeignAttributes {
  const { op, domain, name } = node
  const refuse = (got: string): never => {
    throw new LearnlossError("EXPORT_OP", {
      where: placeOf(model.where, node),
      expected: "a frozen part that can be written into one file with what is trained",
      got,
      fix: "Export the network again without it; `learnloss rank` takes the network as it is, since it writes none.",
    })
  }
  const isWritten = (dataType: OnnxDataType): dataType is DataType => ["float32", "int64", "bool"].includes(dataType)
  const requireWritten = (value: string) => {
    const found = lookup(value, batch) ?? refuse(`"${value}", whose type and shape depend on the data`)
    const { dataType, shape } = found
    if (!isWritten(dataType))
      return refuse(
        `"${value}" of ${dataType === "other" ? "another kind" : dataType}; such a file holds float32, int64 and bool`,
      )
    if (sizeOf(shape) === 0) throw emptyTensor(`${model.where}, value "${value}"`, shape)
    return { dtype: dataType, shape }
  }
  if (sourceOf(model)?.proto.functions?.some((each) => each.name === op && (each.domain ?? "") === domain))
    refuse(`${op}, a function that the file itself defines`)
  if (domain === "" && model.opset < (changedIn[op] ?? 0))
    refuse(`${op} in the form that it had before opset ${changedIn[op]}`)
  if (domain === "" && findingOps.has(op)) refuse(`${op}, the size of whose output depends on the data`)
  const attributes = Object.fromEntries(
    [...node.attributes].map(([key, value]): [string, OnnxAttribute] => [
      key,
      plainAttribute(value) ?? refuse(`attribute ${key}, which holds a graph or a kind of tensor that it cannot hold`),
    ]),
  )
  // Pixels were meant half a pixel further to the right before there was a word for it.
  if (op === "RoiAlign" && domain === "" && model.opset < 16)
    attributes.coordinate_transformation_mode = { kind: "string", value: "output_half_pixel" }
  for (const input of node.inputs) if (input !== "") requireWritten(input)
  return {
    op,
    domain,
    version: domain === "" ? Math.max(opset, model.opset) : (model.opsets.get(domain) ?? 1),
    name,
    attributes,
    inputs: node.inputs.flatMap((input, position) => (input === "" ? [] : [position])),
    outputs: node.outputs.flatMap((output, position) =>
      output === "" ? [] : [{ position, ...requireWritten(output) }],
    ),
  }
}

function plainAttribute(attribute: OnnxAttributeValue): OnnxAttribute | undefined {
  if (attribute.kind === "other") return undefined
  if (attribute.kind !== "tensor") return attribute
  const { dataType } = attribute.value
  if (!["float32", "int64", "bool"].includes(dataType)) return undefined
  const { dtype, shape, data } = attribute.value.read()
  return { kind: "tensor", value: { dtype, shape, data: Array.from(data as ArrayLike<number | bigint>, Number) } }
}
