import { existsSync } from "node:fs"
import { strategyNames } from "@learnloss/contract"
import sharp from "sharp"
import { beforeAll, describe, expect, test } from "vitest"
import { strategyColours } from "./chart-style.ts"
import { learningCurve, liftChart, rankingChart } from "./charts.ts"
import { classCountsChart } from "./class-counts.ts"
import { fontFiles } from "./fonts.ts"
import { predictionScatters } from "./prediction-scatter.ts"
import { type RunRecords, readRunRecords } from "./read-run.ts"
import { renderPng } from "./render-png.ts"
import { renderSvg } from "./render-svg.ts"
import { cycleRecord, writeSyntheticRun } from "./synthetic-run.test-suite.ts"
import { timesChart } from "./times-chart.ts"

const size = { width: 400, height: 250 }
let run: RunRecords

beforeAll(async () => {
  run = readRunRecords(await writeSyntheticRun({ strategies: [...strategyNames], trials: 2, cycles: 3 }))
})

/** Pixels of a PNG as dark as text, right of `left` and left of `right` (shares of the width). */
async function darkPixels(png: Uint8Array, left: number, right: number): Promise<number> {
  const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true })
  let dark = 0
  for (const [index, value] of data.entries()) {
    const x = (index % info.width) / info.width
    if (value < 80 && x >= left && x < right) dark++
  }
  return dark
}

describe("learningCurve", () => {
  test("shows every strategy in its own colour, with a band", async () => {
    const svg = await renderSvg(learningCurve(run.cycles, size, "a title"))
    for (const strategy of strategyNames) expect(svg).toContain(`>${strategy}</text>`)
    for (const colour of Object.values(strategyColours)) expect(svg).toContain(colour)
    expect(svg).toContain("± 1 standard deviation")
    expect(svg).not.toContain("NaN")
  })

  test("does without a band when there is one trial", async () => {
    const spec = learningCurve([cycleRecord({ accuracy: 0.5 }), cycleRecord({ accuracy: 0.6, labels: 200 })], size, "a")
    expect(await renderSvg(spec)).not.toContain("standard deviation")
  })

  test("as a PNG has readable text at its axis, since the font is in the package", async () => {
    expect(fontFiles().every((file) => existsSync(file))).toBe(true)
    const svg = await renderSvg(learningCurve(run.cycles, size))
    expect(await darkPixels(renderPng(svg, 2, "white"), 0, 0.12)).toBeGreaterThan(300)
    const wordless = svg.replace(/<text.*?<\/text>/g, "")
    expect(await darkPixels(renderPng(wordless, 2, "white"), 0, 0.12)).toBe(0)
  })
})

describe("the other charts", () => {
  test("put the module beside plain confidence", async () => {
    for (const spec of [rankingChart(run.cycles, size), liftChart(run.cycles, size)]) {
      const svg = await renderSvg(spec!)
      expect(svg).toContain(">loss module</text>")
      expect(svg).toContain(">plain confidence</text>")
      expect(svg).toContain('stroke-dasharray="5,4"')
    }
  })

  test("are left out where nothing was measured", () => {
    const bare = [cycleRecord({ accuracy: 0.5, confidenceRankingAccuracy: null, confidenceLift: null })]
    expect(rankingChart(bare, size)).toBeNull()
    expect(liftChart(bare, size)).toBeNull()
    expect(classCountsChart(bare, size)).toBeNull()
    expect(predictionScatters([], size)).toEqual([])
  })

  test("scatter the last cycle of each strategy that has a module, on a log axis for losses of many sizes", async () => {
    const scatters = predictionScatters(run.predictions, size)
    expect(scatters.map(({ strategy }) => strategy)).toEqual([
      "learning-loss",
      "learning-loss-mse",
      "learning-loss-outputs",
    ])
    expect(scatters[0]).toMatchObject({ trial: 1, cycle: 3 })
    expect(scatters[0]?.floor).toBeGreaterThan(0)
    const svg = await renderSvg(scatters[0]!.spec)
    expect(svg).toContain("log scale")
    expect(svg).not.toContain("NaN")
  })

  test("scatter losses of similar size on a linear axis", () => {
    const losses = [0, 0.5, 1, 1.5]
    const record = { ids: ["a", "b", "c", "d"], predictedLoss: losses, targetLoss: losses }
    const [scatter] = predictionScatters([{ strategy: "learning-loss", trial: 1, cycle: 1, ...record }], size)
    expect(scatter?.floor).toBeNull()
  })

  test("show times and class counts of every strategy", async () => {
    expect(await renderSvg(timesChart(run.cycles, size))).toContain(">learning-loss-outputs</text>")
    expect(await renderSvg(classCountsChart(run.cycles, size)!)).toContain("labelled images at the end")
    const named = await renderSvg(classCountsChart(run.cycles, size, run.classNames)!)
    for (const name of ["T-shirt/top", "boot"]) expect(named).toContain(`>${name}</text>`)
    const many = [cycleRecord({ accuracy: 0.5, labelsPerClass: Array.from({ length: 100 }, (_, index) => index) })]
    expect(await renderSvg(classCountsChart(many, size)!)).toContain("from the most to the least frequent")
  })
})
