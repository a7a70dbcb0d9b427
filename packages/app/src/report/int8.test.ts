import type { CycleRecord } from "@learnloss/contract"
import { describe, expect, test } from "vitest"
import { int8Notes, int8Section } from "./int8.ts"
import { cycleRecord } from "./synthetic-run.test-suite.ts"

const agreement = {
  quantizedProducts: 19,
  floatProducts: 6,
  samples: 512,
  rankCorrelation: 0.9934,
  topCount: 26,
  topShare: 0.9615,
}

function records(int8 = agreement, ms: readonly [number | null, number | null] = [1.42, 4.83]): CycleRecord[] {
  const times = { int8MsPerImage: ms[0], float32MsPerImage: ms[1], int8ExtraSeconds: 2.25 }
  return [1, 2].map((cycle) => cycleRecord({ accuracy: 0.5, cycle, int8, ...times }))
}

describe("scoring in int8", () => {
  test("is told in one line a cycle", () => {
    expect(int8Notes(records()[0]!)).toEqual([
      "  int8: rank correlation 0.993 with float32 on 512 candidates, 96.2% of its highest 26 found, int8 1.4 ms an image, float32 4.8 ms an image, 2.3 s to calibrate and compare",
    ])
    expect(int8Notes(cycleRecord({ accuracy: 0.5 }))).toEqual([])
  })

  test("warns where it orders candidates otherwise, and where it is no quicker", () => {
    const [, order, pace] = int8Notes(records({ ...agreement, rankCorrelation: 0.91 }, [5, 4])[0]!)
    expect(order).toMatch(/below 0.95.*set engine.scoringPrecision to float32/)
    expect(pace).toMatch(/no quicker.*set engine.scoringPrecision to float32/)
    expect(int8Notes(records(agreement, [null, null])[0]!)).toHaveLength(1)
  })

  test("has a table in the report only where it was used", () => {
    expect(int8Section([cycleRecord({ accuracy: 0.5 })])).toEqual([])
    const section = int8Section(records({ ...agreement, rankCorrelation: 0.9 }))
    const text = "text" in section ? section.text : ""
    expect(text).toContain("<td>0.900</td>")
    expect(text).toMatch(/19 convolutions .* and 6 in float32/)
    expect(text).toMatch(/cycles the correlation was below 0.95/)
  })
})
