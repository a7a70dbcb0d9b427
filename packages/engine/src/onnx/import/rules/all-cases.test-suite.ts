import { activationCases } from "./activation-cases.test-suite.ts"
import { arithmeticCases } from "./arithmetic-cases.test-suite.ts"
import { convolutionCases } from "./convolution-cases.test-suite.ts"
import { indexingCases } from "./indexing-cases.test-suite.ts"
import { layoutCases } from "./layout-cases.test-suite.ts"
import { normalizationCases } from "./normalization-cases.test-suite.ts"
import type { OpCases } from "./op-case.test-suite.ts"
import { poolingCases } from "./pooling-cases.test-suite.ts"
import { productCases } from "./product-cases.test-suite.ts"
import { reductionCases } from "./reduction-cases.test-suite.ts"
import { resizeCases } from "./resize-cases.test-suite.ts"

/** Cases of every op, by the name of the op. */
export const allCases: OpCases = {
  ...activationCases,
  ...arithmeticCases,
  ...convolutionCases,
  ...indexingCases,
  ...layoutCases,
  ...normalizationCases,
  ...poolingCases,
  ...productCases,
  ...reductionCases,
  ...resizeCases,
}
