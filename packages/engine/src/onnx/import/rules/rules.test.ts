import { describe, expect, test } from "vitest"
import { activationCases } from "./activation-cases.test-suite.ts"
import { arithmeticCases } from "./arithmetic-cases.test-suite.ts"
import { convolutionCases } from "./convolution-cases.test-suite.ts"
import { importRules } from "./index.ts"
import { indexingCases } from "./indexing-cases.test-suite.ts"
import { layoutCases } from "./layout-cases.test-suite.ts"
import { normalizationCases } from "./normalization-cases.test-suite.ts"
import { isDifferentiated, type OpCases, testOpCases } from "./op-case.test-suite.ts"
import { poolingCases } from "./pooling-cases.test-suite.ts"
import { productCases } from "./product-cases.test-suite.ts"
import { reductionCases } from "./reduction-cases.test-suite.ts"
import { resizeCases } from "./resize-cases.test-suite.ts"

const cases: OpCases = {
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

testOpCases(cases)

describe("import rules", () => {
  test("every rule has a case at its first opset", () => {
    const covered = Object.entries(cases).filter(([op, list]) =>
      list.some(({ opsets }) => opsets.includes(Math.max(11, importRules[op]?.since ?? 0))),
    )
    expect(covered.map(([op]) => op).toSorted()).toEqual(Object.keys(importRules).toSorted())
  })

  test("every rule with a gradient has a case with finite differences", () => {
    const expected = Object.entries(importRules).flatMap(([op, { gradient }]) => (gradient ? [op] : []))
    const differentiated = Object.entries(cases).filter(([op, list]) => list.some((each) => isDifferentiated(op, each)))
    expect(differentiated.map(([op]) => op).toSorted()).toEqual(expected.toSorted())
  })
})
