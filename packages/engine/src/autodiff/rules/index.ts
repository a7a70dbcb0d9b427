import type { OpType } from "../../graph/ops.ts"
import type { GradientRule } from "../rule.ts"
import { elementwiseRules } from "./elementwise.ts"
import { movementRules } from "./movement.ts"
import { productRules } from "./product.ts"
import { reductionRules } from "./reduction.ts"

/** The total table of gradient rules; `"none"` says that an op passes no gradient on. */
export const gradientRules: { readonly [K in OpType]: GradientRule<K> } = {
  ...elementwiseRules,
  ...reductionRules,
  ...productRules,
  ...movementRules,
}
