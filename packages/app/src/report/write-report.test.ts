import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { writeSyntheticRun } from "./synthetic-run.test-suite.ts"
import { type WrittenReport, writeReport } from "./write-report.ts"

const attack = `</title><img src="http://evil.example/x.png" onerror='alert(1)'>&`
let folder: string
let written: WrittenReport
let page: string

beforeAll(async () => {
  const options = {
    strategies: ["random", "entropy", "learning-loss"],
    trials: 2,
    cycles: 3,
    hasPictures: true,
  } as const
  folder = await writeSyntheticRun({ ...options, config: { name: attack, description: attack } })
  written = await writeReport([folder])
  page = readFileSync(written.report, "utf8")
})

describe("writeReport", () => {
  test("writes the page, the curve and the CSV into the run's folder", () => {
    const names = ["report.html", "learning-curve.svg", "learning-curve.png", "results.csv"]
    expect(written.files).toEqual(names.map((name) => join(folder, name)))
    expect(written.files.every((file) => existsSync(file))).toBe(true)
    expect(readFileSync(join(folder, "results.csv"), "utf8").split("\r\n")).toHaveLength(1 + 3 * 2 * 3 + 1)
  })

  test("writes the same bytes again", async () => {
    await writeReport([folder])
    expect(readFileSync(written.report, "utf8")).toBe(page)
  })

  test("draws a run that has finished a single cycle of one strategy", async () => {
    const young = await writeSyntheticRun({ strategies: ["learning-loss"], trials: 1, cycles: 1 })
    const { report, verdict } = await writeReport([young])
    expect(readFileSync(report, "utf8")).not.toContain("NaN")
    expect(verdict[0]).toMatch(/^With these settings test accuracy at 500 labels was .* with learning-loss\.$/)
  })

  test("writes elsewhere when asked, of several runs with their trials counted together", async () => {
    const other = await writeSyntheticRun({ strategies: ["random"], trials: 1, cycles: 3, seed: 1 })
    const out = join(mkdtempSync(join(tmpdir(), "learnloss-")), "new")
    const { report, table } = await writeReport([folder, other], out)
    expect(report).toBe(join(out, "report.html"))
    expect(table.strategies.map((each) => each.finishedTrials)).toEqual([3, 2, 2])
    expect(readFileSync(report, "utf8")).toContain("2 trials of seed 0, 1 trial of seed 1")
  })
})

describe("the page", () => {
  test("needs nothing from outside and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|<iframe|@import/i)
    const sources = [...page.matchAll(/<[^>]*\s(?:src|href|xlink:href)\s*=\s*["']?([^"'\s>]+)/g)].map(
      (match) => match[1] ?? "",
    )
    expect(sources.length).toBeGreaterThan(0)
    expect(sources.filter((source) => !source.startsWith("data:image/png;base64,"))).toEqual([])
  })

  test("escapes what it was given", () => {
    expect(page).not.toContain('<img src="http')
    expect(page).toContain(
      "&lt;/title&gt;&lt;img src=&quot;http://evil.example/x.png&quot; onerror=&#39;alert(1)&#39;&gt;&amp;",
    )
  })

  test("has each id once, so that charts do not clip each other", () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
  })

  test("starts with the verdict and shows results, charts, picks and settings", () => {
    const order = ["most accurate strategy", ">Results<", ">Learning curve<", ">Ranking accuracy<", ">Lift<"]
    const rest = [">Predicted against target loss<", ">Labelled images of each class<", ">Images picked in each cycle<"]
    const places = [...order, ...rest, ">Settings<", ">How to reproduce<"].map((text) => page.indexOf(text))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(page.match(/<img src="data:image/g)).toHaveLength(3 * 2)
    expect(page).toContain("after cycle 2 (1,000 labels): 500 picked, scores 0.505 to 3")
  })
})

describe("the page of a detector", () => {
  let detector: WrittenReport
  let shown: string

  beforeAll(async () => {
    const options = {
      strategies: ["random", "entropy"],
      trials: 2,
      cycles: 3,
      task: "detection",
      hasPictures: true,
    } as const
    detector = await writeReport([await writeSyntheticRun(options)])
    shown = readFileSync(detector.report, "utf8")
  })

  test("speaks of mAP@0.5 wherever a classifier's has accuracy", () => {
    expect(detector.verdict[0]).toMatch(
      /^With these settings the strategy with the highest mAP@0\.5 at 1,500 labels was /,
    )
    expect(detector.table.measure.name).toBe("mAP")
    expect(shown).toContain(">test mAP@0.5</text>")
    for (const words of ["Test mAP@0.5 at every label count", "final mAP@0.5", "random&#39;s final mAP@0.5"])
      expect(shown).toContain(words)
    expect(shown.replaceAll(/ranking accuracy/gi, "")).not.toMatch(/accura/i)
  })

  test("shows each class by its name, and the curve over boxes too", () => {
    expect(shown).toMatch(/<th>T-shirt\/top<\/th><td>[\d.]+ ± [\d.]+<\/td><td>[\d.]+ ± [\d.]+<\/td>/)
    expect(shown).toMatch(/<th>boot<\/th><td>-<\/td><td>-<\/td>/)
    expect(shown).toContain(">labelled objects</text>")
    expect(shown).toContain(">Labelled objects of each class<")
    expect(shown).not.toContain("NaN")
  })

  test("shows what each strategy's detector found, of one trial", () => {
    expect(shown).toContain(">Detections on test images<")
    expect(shown.match(/alt="(random|entropy), after cycle 3 \(1,500 labels\)"/g)).toEqual([
      'alt="random, after cycle 3 (1,500 labels)"',
      'alt="entropy, after cycle 3 (1,500 labels)"',
    ])
  })

  test("has a CSV with every single measure, grouped ones under the name of their group", () => {
    const [head, row] = readFileSync(detector.files.at(-1)!, "utf8").split("\r\n")
    expect(head).toMatch(/^strategy,trial,cycle,labels,mAP,mAP07,coco\.mAP,lossModule,.*,labeledObjects,seed/)
    expect(row).toMatch(/,1500,0,1$/)
  })
})

describe("the page of poses", () => {
  test("speaks of people and joints, and has the rate of each joint", async () => {
    const options = {
      strategies: ["random", "entropy"],
      trials: 1,
      cycles: 2,
      task: "pose",
      hasPictures: true,
      config: { data: "mpii:some/folder", imageSize: 64, model: { name: "hourglass", width: 16, stacks: 1 } },
    } as const
    const { report, verdict } = await writeReport([await writeSyntheticRun(options)])
    const page = readFileSync(report, "utf8")
    expect(verdict[0]).toMatch(/^With these settings the strategy with the highest PCKh@0\.5 at 1,000 labels was /)
    for (const words of [
      ">test PCKh@0.5</text>",
      ">labelled people</text>",
      ">labelled joints</text>",
      ">How often each joint was labelled<",
      "Share of each joint that was found at 1,000 labels",
      ">Poses on test images<",
      ">People picked in each cycle<",
      "The same people for every strategy",
      "Hollow joints: hidden at the left, a score below 0.2 at the right.",
      "all test people",
      "turned by up to 60 degrees (60% of the time)",
      "divided by the labelled joints",
      "The length of a head comes from: head box.",
      "PCKh@0.5 is the share of joints found within half the length",
      "Stricter measures: random PCKh@0.1 12.5; entropy PCKh@0.1 12.5.",
      "hourglass, width 16, 1 stack, 1 block a place",
      "64 x 64 pixels",
    ])
      expect(page).toContain(words)
    expect(page).toMatch(/<th>T-shirt\/top<\/th><td>[\d.]+<\/td><td>[\d.]+<\/td>/)
    expect(page).not.toMatch(/NaN|photometric changes|labelled objects/)
  })
})
