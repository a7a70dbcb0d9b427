import { expect, test } from "vitest"
import { createMeasuringMeter } from "./measuring-meter.ts"

test("measuring is shown once it takes more than a second, and its bar goes when it is done", () => {
  const shown: string[] = []
  let now = 0
  const meter = {
    show: (phase: string, done: number, total: number) => void shown.push(`${phase} ${done}/${total}`),
    close: () => void shown.push("closed"),
  }
  const show = createMeasuringMeter(meter, () => now)
  for (const [done, at] of [
    [0, 5000],
    [1, 5400],
    [2, 6100],
    [3, 6500],
  ] as const) {
    now = at
    show(done, 3)
  }
  expect(shown).toEqual(["measuring how to compute, products 2/3", "measuring how to compute, products 3/3", "closed"])
})
