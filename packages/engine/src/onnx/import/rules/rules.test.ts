import { describe, expect, test } from "vitest"
import { allCases } from "./all-cases.test-suite.ts"
import { importRules } from "./index.ts"
import { isDifferentiated, testOpCases } from "./op-case.test-suite.ts"

testOpCases(allCases)

describe("import rules", () => {
  test("every rule has a case at its first opset", () => {
    const covered = Object.entries(allCases).filter(([op, list]) =>
      list.some(({ opsets }) => opsets.includes(Math.max(11, importRules[op]?.since ?? 0))),
    )
    expect(covered.map(([op]) => op).toSorted()).toEqual(Object.keys(importRules).toSorted())
  })

  test("every rule with a gradient has a case with finite differences", () => {
    const expected = Object.entries(importRules).flatMap(([op, { gradient }]) => (gradient ? [op] : []))
    const differentiated = Object.entries(allCases).filter(([op, list]) =>
      list.some((each) => isDifferentiated(op, each)),
    )
    expect(differentiated.map(([op]) => op).toSorted()).toEqual(expected.toSorted())
  })
})
