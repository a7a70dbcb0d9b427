import { foldRules } from "./import/fold/index.ts"
import { importRules } from "./import/rules/index.ts"
import { readableOpsets } from "./read-model.ts"

/** An op of ONNX's own domain that networks from files may be made of. */
export interface ReadableOp {
  readonly op: string
  /** First and last version of the operator set in which it is read, such as `13-22`. */
  readonly opsets: string
  /** Whether a gradient runs through it; the others are worked out beforehand, compare, or give positions. */
  readonly gradient: boolean
}

/** Ops that the importer works out without a rule. */
const builtIn = ["Constant", "Shape", "Size"]

/** All ops that can be imported or worked out beforehand, by name. */
export function listReadableOps(): ReadableOp[] {
  const names = new Set([...builtIn, ...Object.keys(importRules), ...Object.keys(foldRules)])
  return [...names].sort().map((op) => {
    const rule = Object.hasOwn(importRules, op) ? importRules[op] : undefined
    const first = Math.max(readableOpsets.first, rule?.since ?? readableOpsets.first)
    return { op, opsets: `${first}-${readableOpsets.last}`, gradient: rule?.gradient === true }
  })
}
