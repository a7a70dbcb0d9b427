import type { FoldRule } from "../rule.ts"
import { arithmeticFolds } from "./arithmetic.ts"
import { creationFolds } from "./creation.ts"
import { indexingFolds } from "./indexing.ts"
import { layoutFolds } from "./layout.ts"
import { reductionFolds } from "./reduction.ts"

/** Every op that is worked out while importing when none of its inputs depends on data or parameters. */
export const foldRules: Readonly<Record<string, FoldRule>> = {
  ...arithmeticFolds,
  ...creationFolds,
  ...indexingFolds,
  ...layoutFolds,
  ...reductionFolds,
}
