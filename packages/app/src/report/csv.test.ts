import { expect, test } from "vitest"
import { resultsCsv } from "./csv.ts"
import { cycleRecord } from "./synthetic-run.test-suite.ts"

test("the CSV has all scalar fields, quotes as RFC 4180 asks and leaves null empty", () => {
  const record = cycleRecord({
    strategy: "learning-loss",
    accuracy: 0.5,
    labelsPerClass: [3, 4],
    rankingAccuracy: 0.75,
  })
  const noted = { ...record, cycle: 2, metrics: { accuracy: 0.6, note: 'a "b", c\nd', recallPerClass: [0.5, null] } }
  const csv = resultsCsv({ cycles: [record, noted], trials: [{ trial: 1, seed: 7, trialOfSeed: 3 }] })
  expect(csv.split("\r\n")).toEqual([
    "strategy,trial,cycle,labels,accuracy,note,lossModule,rankingAccuracy,confidenceRankingAccuracy,lift,confidenceLift,trainLoss,testLoss,trainSeconds,dataWaitSeconds,evaluateSeconds,selectSeconds,sharedWith,seed,trialOfSeed",
    "learning-loss,1,1,100,0.5,,none,0.75,0.9,,2,0.5,0.7,10,0.1,2,1,,7,3",
    'learning-loss,1,2,100,0.6,"a ""b"", c\nd",none,0.75,0.9,,2,0.5,0.7,10,0.1,2,1,,7,3',
    "",
  ])
})

test("how scoring in int8 went has columns where it was used", () => {
  const int8 = {
    quantizedProducts: 3,
    floatProducts: 2,
    samples: 9,
    rankCorrelation: 0.99,
    topCount: 4,
    topShare: 0.75,
  }
  const scored = { int8, int8MsPerImage: 1.5, float32MsPerImage: null, int8ExtraSeconds: 2 }
  const cycles = [cycleRecord({ accuracy: 0.5, ...scored }), cycleRecord({ accuracy: 0.6, cycle: 2 })]
  const [head, ...rows] = resultsCsv({ cycles, trials: [] }).split("\r\n")
  expect(head).toMatch(/,int8RankCorrelation,int8TopShare,int8MsPerImage,float32MsPerImage,int8ExtraSeconds,seed,/)
  expect(rows[0]).toMatch(/,0\.99,0\.75,1\.5,,2,,$/)
  expect(rows[1]).toMatch(/,,,,,,,$/)
})
