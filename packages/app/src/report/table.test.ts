import { expect, test } from "vitest"
import { cycleRecord } from "./synthetic-run.test-suite.ts"
import { formatTable, resultsTable } from "./table.ts"

const cycles = [
  cycleRecord({ trial: 1, cycle: 1, labels: 500, accuracy: 0.6 }),
  cycleRecord({ trial: 1, cycle: 2, labels: 1000, accuracy: 0.7 }),
  cycleRecord({ trial: 2, cycle: 1, labels: 500, accuracy: 0.62 }),
  cycleRecord({ strategy: "learning-loss", cycle: 1, labels: 500, accuracy: 0.65, rankingAccuracy: 0.7 }),
  cycleRecord({ strategy: "learning-loss", cycle: 2, labels: 1000, accuracy: 0.755, rankingAccuracy: 0.8 }),
]

test("the table prints a row for each label count and says where a mean has other trials", () => {
  expect(formatTable(resultsTable(cycles))).toBe(
    `Test accuracy in percent, mean ± standard deviation over trials

labels                         random  learning-loss
-------------------  ----------------  -------------
500                  61.0 ± 1.4 (n 2)           65.0
1,000                            70.0           75.5
-------------------  ----------------  -------------
AUBC                             65.0           70.3
ranking, module                     -           80.0
ranking, confidence              90.0           90.0
finished trials                     1              1
`,
  )
})

test("the table is plain data, so that it can be JSON", () => {
  const table = resultsTable(cycles)
  expect(JSON.parse(JSON.stringify(table))).toEqual(table)
  expect(table.strategies[0]?.values[1]).toEqual({ mean: 0.7, std: null, trials: 1 })
})
