import type { ImportRule } from "../rule.ts"
import { activationRules } from "./activation.ts"
import { arithmeticRules } from "./arithmetic.ts"
import { convolutionRules } from "./convolution.ts"
import { einsumRules } from "./einsum.ts"
import { indexingRules } from "./indexing.ts"
import { layoutRules } from "./layout.ts"
import { normalizationRules } from "./normalization.ts"
import { paddingRules } from "./padding.ts"
import { poolingRules } from "./pooling.ts"
import { productRules } from "./product.ts"
import { reductionRules } from "./reduction.ts"
import { resizeRules } from "./resize.ts"
import { trainingModeRules } from "./training-mode.ts"

/** Every op of ONNX that a network may train through, with how it is written in the engine's ops. */
export const importRules: Readonly<Record<string, ImportRule>> = {
  ...activationRules,
  ...arithmeticRules,
  ...convolutionRules,
  ...einsumRules,
  ...indexingRules,
  ...layoutRules,
  ...normalizationRules,
  ...paddingRules,
  ...poolingRules,
  ...productRules,
  ...reductionRules,
  ...resizeRules,
  ...trainingModeRules,
}
