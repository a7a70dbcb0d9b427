import type { AnyNode } from "./graph.ts"
import { type OnnxForm, onnxForms } from "./onnx-forms.ts"

/** How a node is written in ONNX. */
export function formOf(node: AnyNode): OnnxForm {
  const form = onnxForms[node.op] as OnnxForm | ((attributes: unknown) => OnnxForm)
  return typeof form === "function" ? form(node.attributes) : form
}
