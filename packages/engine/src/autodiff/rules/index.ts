import type { OpType } from "../../graph/ops.ts"
import type { GradientRule } from "../rule.ts"
import { activationRules } from "./activation.ts"
import { elementwiseRules } from "./elementwise.ts"
import { indexingRules } from "./indexing.ts"
import { movementRules } from "./movement.ts"
import { normalizationRules } from "./normalization.ts"
import { poolingRules } from "./pooling.ts"
import { productRules } from "./product.ts"
import { reductionRules } from "./reduction.ts"

/** The total table of gradient rules; `"none"` says that an op passes no gradient on. */
export const gradientRules: { readonly [K in OpType]: GradientRule<K> } = {
  ...elementwiseRules,
  ...activationRules,
  ...reductionRules,
  ...productRules,
  ...movementRules,
  ...indexingRules,
  ...poolingRules,
  ...normalizationRules,
  Foreign: "none",
  // Only evaluation is ever quantised.
  QuantizeLinear: "none",
  DequantizeLinear: "none",
  QLinearConv: "none",
  QLinearAdd: "none",
  MatMulIntegerToFloat: "none",
}
