import type { OnnxAttributeValue } from "./model.ts"
import { type AttributeProto, attributeTypes, int64ToNumber } from "./proto.ts"
import { wrapTensor } from "./tensor-data.ts"

const other: OnnxAttributeValue = { kind: "other" }
const utf8 = new TextDecoder()

/**
 * The attributes of a node by name.
 *
 * @throws LearnlossError `ONNX_TENSOR` for a stored tensor whose data do not fit its shape
 */
export function readAttributes(
  attributes: readonly AttributeProto[],
  where: string,
): ReadonlyMap<string, OnnxAttributeValue> {
  return new Map(
    attributes.map((attribute) => [attribute.name ?? "", readAttribute(attribute, `${where}, ${attribute.name}`)]),
  )
}

function readAttribute(attribute: AttributeProto, where: string): OnnxAttributeValue {
  switch (attribute.type || guessType(attribute)) {
    case attributeTypes.float:
      return { kind: "float", value: attribute.f ?? 0 }
    case attributeTypes.int:
      return { kind: "int", value: int64ToNumber(attribute.i) }
    case attributeTypes.string:
      return { kind: "string", value: utf8.decode(attribute.s ?? new Uint8Array()) }
    case attributeTypes.tensor:
      return { kind: "tensor", value: wrapTensor(attribute.t ?? {}, where) }
    case attributeTypes.floats:
      return { kind: "floats", value: attribute.floats ?? [] }
    case attributeTypes.ints:
      return { kind: "ints", value: (attribute.ints ?? []).map(int64ToNumber) }
    case attributeTypes.strings:
      return { kind: "strings", value: (attribute.strings ?? []).map((text) => utf8.decode(text)) }
    default:
      return other
  }
}

/** Early files leave the type out: the field that is there tells it. */
function guessType(attribute: AttributeProto): number {
  const has = (field: keyof AttributeProto) => Object.hasOwn(attribute, field)
  const fills = (field: "floats" | "ints" | "strings") => (attribute[field]?.length ?? 0) > 0
  if (has("g") || has("tp") || has("sparseTensor") || (attribute.graphs?.length ?? 0) > 0) return attributeTypes.graph
  if (has("t")) return attributeTypes.tensor
  if (has("s")) return attributeTypes.string
  if (fills("floats")) return attributeTypes.floats
  if (fills("ints")) return attributeTypes.ints
  if (fills("strings")) return attributeTypes.strings
  if (has("f")) return attributeTypes.float
  return has("i") ? attributeTypes.int : attributeTypes.ints
}
