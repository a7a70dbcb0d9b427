import { expect, test } from "vitest"
import { formatLoss } from "./format.ts"

test("losses of classifiers and of heat-maps alike show how they change", () => {
  const shown = [2.345, 0.5, 0.1, 0.009764, 0.00310049, 0, Number.NaN].map(formatLoss)
  expect(shown).toEqual(["2.345", "0.500", "0.100", "0.00976", "0.0031", "0.000", "NaN"])
})
