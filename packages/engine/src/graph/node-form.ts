import type { AnyNode } from "./graph.ts"
import { type OnnxForm, onnxForms, opset } from "./onnx-forms.ts"

/** How a node is written in ONNX, in a version of its operator set. */
export function formOf(node: AnyNode, version: number = opset): OnnxForm {
  const form = onnxForms[node.op] as OnnxForm | ((attributes: unknown, version: number) => OnnxForm)
  return typeof form === "function" ? form(node.attributes, version) : form
}
