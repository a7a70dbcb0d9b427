import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createRng, floatTensor, runtimeVersion } from "@learnloss/engine"
import { type WrittenModel, writeOnnxModel } from "@learnloss/engine/testing"
import sharp from "sharp"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { numbers, smallNetwork } from "../frozen/networks.test-suite.ts"
import { rankingAccuracy } from "../training/ranking-metrics.ts"
import { rankPool } from "./rank-pool.ts"
import type { RankEvent, Ranking, RankSettings } from "./ranking.ts"

let root: string
let cacheRoot: string
let caches = 0
/** What each image's loss really is: the redder it is, the larger. */
const lossOf = new Map<string, number>()
const labeledCount = 150
const poolCount = 70

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "learnloss-rank-"))
  const rng = createRng("images")
  for (const [folder, count] of [
    ["labeled", labeledCount],
    ["pool", poolCount],
  ] as const) {
    mkdirSync(join(root, folder))
    for (let index = 0; index < count; index++) {
      const [red, green, blue] = [rng.float(), rng.float(), rng.float()]
      const pixels = Buffer.from(
        Array.from({ length: 192 }, (_, at) => 200 * ([red, green, blue][at % 3] as number) + 50 * rng.float()),
      )
      const name = `${String(index).padStart(3, "0")}.png`
      await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
        .png()
        .toFile(join(root, folder, name))
      lossOf.set(`${folder}/${name}`, red)
    }
  }
  writeLosses((id) => lossOf.get(`labeled/${id}`) as number)
  writeFileSync(join(root, "net.onnx"), writeOnnxModel(smallNetwork))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))
beforeEach(() => {
  cacheRoot = join(root, `cache-${caches++}`)
})

function writeLosses(loss: (id: string) => number, name = "losses.csv"): void {
  const rows = readdirSync(join(root, "labeled")).map((id) => `${id},${loss(id)}\n`)
  writeFileSync(join(root, name), `id,loss\n${rows.join("")}`)
}

async function rank(changes: Partial<RankSettings> = {}, watch?: (event: RankEvent, stop: () => void) => void) {
  const events: RankEvent[] = []
  const controller = new AbortController()
  const settings: RankSettings = {
    model: join(root, "net.onnx"),
    losses: join(root, "losses.csv"),
    images: join(root, "labeled"),
    pool: join(root, "pool"),
    n: 10,
    outputs: false,
    diverse: false,
    input: { mean: [0.5], std: [0.25] },
    seed: 0,
    threads: 1,
    device: "cpu",
    ...changes,
  }
  const ranking = await rankPool(settings, {
    signal: controller.signal,
    cacheRoot,
    onEvent(event) {
      events.push(event)
      watch?.(event, () => controller.abort())
    },
  })
  const texts = events.flatMap((event) => ("text" in event ? [event.text] : []))
  return { ranking, events, texts }
}

/** What a ranking says, without where its cache is. */
const said = ({ batch, ranking, heldOut, confidence }: Ranking) => JSON.stringify([batch, ranking, heldOut, confidence])
const idsOf = ({ batch }: Ranking) => batch.map(({ image }) => image.id)
const cacheFiles = () =>
  readdirSync(cacheRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

describe("ranking a pool", () => {
  it("puts the images of high loss first, and its held-out figures say how well", async () => {
    const { ranking } = await rank()
    const scores = ranking.ranking.map(({ predictedLoss }) => predictedLoss)
    const truth = ranking.ranking.map(({ image }) => lossOf.get(`pool/${image.id}`) as number)
    expect(rankingAccuracy(scores, truth)).toBeGreaterThan(0.85)
    expect(ranking.heldOut).toMatchObject({ images: 30 })
    expect(ranking.heldOut.rankingAccuracy).toBeGreaterThan(0.85)
    expect(ranking.heldOut.lift).toBeGreaterThan(1.3)
    expect(ranking.confidence?.interval).toHaveLength(2)
    expect(ranking.warnings).toEqual([])
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(ranking.batch).toEqual(ranking.ranking.slice(0, 10))
    expect(ranking.counts).toEqual({
      losses: 150,
      trainedOn: 120,
      heldOut: 30,
      poolImages: 70,
      alreadyLabeled: 0,
      unusable: 0,
    })
  })

  it("is the same again, from the cache, also when more is read of it; another seed is another split", async () => {
    const first = await rank()
    const files = cacheFiles()
    const isFromCache = ({ events }: { events: readonly RankEvent[] }) =>
      events.every(
        (event) => event.type !== "progress" || !event.phase.includes("features") || event.done === event.total,
      )
    const again = await rank()
    expect(isFromCache(first)).toBe(false)
    expect(isFromCache(again)).toBe(true)
    expect(said(again.ranking)).toBe(said(first.ranking))
    const withOutputs = await rank({ outputs: true })
    expect(isFromCache(withOutputs)).toBe(true)
    expect(withOutputs.ranking.blocks.map(({ kind }) => kind)).toEqual(["tap", "tap", "outputs"])
    expect(withOutputs.ranking.heldOut.rankingAccuracy).toBeGreaterThan(0.85)
    expect(said((await rank({ seed: 1 })).ranking)).not.toBe(said(first.ranking))
    expect(cacheFiles()).toEqual(files)
  })

  it("computes features anew for other threads, which round in their own way", async () => {
    const first = await rank()
    const folders = () => readdirSync(cacheRoot)
    expect(folders()).toHaveLength(1)
    const about = JSON.parse(readFileSync(join(first.ranking.cache, "about.json"), "utf8"))
    expect(about).toMatchObject({ format: 2, threads: 1, runtime: runtimeVersion })
    const second = await rank({ threads: 2 })
    expect(second.ranking.cache).not.toBe(first.ranking.cache)
    expect(folders()).toHaveLength(2)
  })

  it("reads the confidence of a network that ends in a Sigmoid from both sides of one half", async () => {
    const model = join(root, "sigmoid.onnx")
    const network: WrittenModel = {
      ...smallNetwork,
      initializers: {
        ...smallNetwork.initializers,
        red: floatTensor([3, 1], Float32Array.of(4, 0, 0)),
      },
      nodes: [
        ...smallNetwork.nodes,
        { op: "GlobalAveragePool", inputs: ["image"], outputs: ["colours"] },
        { op: "Flatten", inputs: ["colours"], outputs: ["flat"] },
        { op: "MatMul", inputs: ["flat", "red"], outputs: ["redness"] },
        { op: "Sigmoid", inputs: ["redness"], outputs: ["isRed"] },
      ],
      outputs: [{ name: "isRed", shape: ["N", 1] }],
    }
    writeFileSync(model, writeOnnxModel(network))
    // Zero of the network's scores lies where red is half, and losses fall to both sides of it.
    writeLosses(
      (id) => 1 - Math.abs(((lossOf.get(`labeled/${id}`) as number) * 200 + 25) / 255 - 0.5),
      "both-sides.csv",
    )
    const { ranking } = await rank({ model, taps: ["map"], losses: join(root, "both-sides.csv") })
    expect(ranking.confidence?.rankingAccuracy).toBeGreaterThan(0.95)
  })

  it("goes on after a stop anywhere to the same bits", async () => {
    const whole = await rank()
    // Images are computed 64 at a time, so a stop falls between batches.
    for (const phase of ["features of the losses", "training", "features of the pool"]) {
      cacheRoot = join(root, `cache-${caches++}`)
      const stopped = rank({}, (event, stop) => {
        if (event.type === "progress" && event.phase === phase && event.done > 0) stop()
      })
      await expect(stopped).rejects.toThrow(expect.objectContaining({ code: "INTERRUPTED" }))
      expect(said((await rank()).ranking)).toBe(said(whole.ranking))
    }
  })

  it("computes changed images anew and leaves the others", async () => {
    const pool = join(root, "changing")
    mkdirSync(pool)
    for (const name of ["000.png", "001.png", "002.png"]) copyFileSync(join(root, "pool", name), join(pool, name))
    const before = await rank({ pool })
    copyFileSync(join(root, "pool", "003.png"), join(pool, "001.png"))
    const after = await rank({ pool })
    const scores = ({ ranking }: Ranking) =>
      Object.fromEntries(ranking.map(({ image, predictedLoss }) => [image.id, predictedLoss]))
    expect(scores(after.ranking)).toEqual({ ...scores(before.ranking), "001.png": expect.any(Number) })
    expect(scores(after.ranking)["001.png"]).not.toBe(scores(before.ranking)["001.png"])
    const progress = after.events.filter((event) => event.type === "progress" && event.phase === "features of the pool")
    expect(progress[0]).toMatchObject({ done: 2, total: 3 })
  })

  it("spreads a diverse batch over the best candidates", async () => {
    const [plain, diverse] = [(await rank()).ranking, (await rank({ diverse: true })).ranking]
    expect(diverse.batch).toHaveLength(10)
    expect(diverse.batch.every(({ rank: place }) => place <= 40)).toBe(true)
    expect(diverse.batch[0]).toEqual(plain.batch[0])
    expect(idsOf(diverse)).not.toEqual(idsOf(plain))
  })

  it("warns when the module ranks no better than chance, before the pool is computed", async () => {
    const rng = createRng("noise")
    writeLosses(() => rng.float(), "noise.csv")
    const { ranking, events } = await rank({ losses: join(root, "noise.csv") })
    expect(ranking.warnings).toEqual([expect.stringMatching(/not shown to rank better than chance.*--outputs/)])
    const warned = events.findIndex(({ type }) => type === "warning")
    const pool = events.findIndex((event) => event.type === "progress" && event.phase === "features of the pool")
    expect(warned).toBeLessThan(pool)
    writeLosses(() => 3, "equal.csv")
    const equal = await rank({ losses: join(root, "equal.csv") })
    expect(equal.ranking.heldOut.rankingAccuracy).toBeNull()
    expect(equal.ranking.warnings[0]).toMatch(/all 30 held-out losses are equal/)
  })

  it("leaves out images of the pool whose losses are known, under any name", async () => {
    const pool = join(root, "mixed")
    mkdirSync(pool)
    copyFileSync(join(root, "pool", "000.png"), join(pool, "new.png"))
    symlinkSync(join(root, "labeled", "000.png"), join(pool, "known.png"))
    copyFileSync(join(root, "labeled", "001.png"), join(pool, "copy.png"))
    const { ranking, texts } = await rank({ pool })
    expect(idsOf(ranking)).toEqual(["new.png"])
    expect(ranking.counts).toMatchObject({ poolImages: 3, alreadyLabeled: 2 })
    expect(texts).toContainEqual(expect.stringMatching(/have a loss already \(2\)/))
    expect(texts).toContainEqual(expect.stringMatching(/Fewer images in the pool \(1\) than wanted \(10\)/))
    await expect(rank({ pool: join(root, "labeled") })).rejects.toThrow(expect.objectContaining({ code: "POOL_EMPTY" }))
  })

  it("tells broken images of the pool and goes on, but wants every image with a loss", async () => {
    const pool = join(root, "broken")
    mkdirSync(pool)
    copyFileSync(join(root, "pool", "000.png"), join(pool, "good.png"))
    writeFileSync(join(pool, "bad.png"), "no image")
    const { ranking } = await rank({ pool })
    expect(idsOf(ranking)).toEqual(["good.png"])
    expect(ranking.warnings).toEqual([expect.stringMatching(/cannot be used \(1\): bad.png \(expected/)])
    rmSync(join(pool, "good.png"))
    await expect(rank({ pool })).rejects.toThrow(/expected images that can be read/)

    const images = join(root, "broken labeled")
    mkdirSync(images)
    for (const name of readdirSync(join(root, "labeled"))) copyFileSync(join(root, "labeled", name), join(images, name))
    writeFileSync(join(images, "007.png"), "")
    await expect(rank({ images })).rejects.toThrow(/readable image for every loss.*007.png \(.*an empty file\)/)
  })

  it("refuses features that are no numbers, and leaves such images of the pool out", async () => {
    const model = join(root, "logarithm.onnx")
    const withLogarithm = (bias: number): WrittenModel => ({
      ...smallNetwork,
      initializers: {
        ...smallNetwork.initializers,
        bias: { dtype: "float32", shape: [], data: Float32Array.of(bias) },
      },
      nodes: [
        { op: "GlobalAveragePool", inputs: ["image"], outputs: ["colour"] },
        { op: "Add", inputs: ["colour", "bias"], outputs: ["shifted"] },
        { op: "Log", inputs: ["shifted"], outputs: ["logarithm"] },
        ...smallNetwork.nodes,
      ],
    })
    writeFileSync(model, writeOnnxModel(withLogarithm(-0.5)))
    const plain = { model, taps: ["logarithm"], input: { mean: [0], std: [1] } }
    await expect(rank(plain)).rejects.toThrow(expect.objectContaining({ code: "BAD_FEATURES" }))
    // Values that are no numbers where nobody looks do no harm.
    expect((await rank({ ...plain, taps: ["map"] })).ranking.ranking).toHaveLength(poolCount)

    writeFileSync(model, writeOnnxModel(withLogarithm(0)))
    const pool = join(root, "black")
    mkdirSync(pool)
    await sharp({ create: { width: 8, height: 8, channels: 3, background: "black" } })
      .png()
      .toFile(join(pool, "black.png"))
    copyFileSync(join(root, "pool", "000.png"), join(pool, "good.png"))
    const below: Partial<RankSettings> = { ...plain, pool, input: { mean: [0.001], std: [1] } }
    const { ranking } = await rank(below)
    expect(idsOf(ranking)).toEqual(["good.png"])
    expect(ranking.warnings).toEqual([
      expect.stringMatching(/black.png \(the network gives values that are no numbers\)/),
    ])
  })

  it("refuses --outputs where no output has a row for each image", async () => {
    const model = join(root, "no-rows.onnx")
    const network: WrittenModel = {
      ...smallNetwork,
      nodes: [...smallNetwork.nodes, { op: "ArgMax", inputs: ["logits"], outputs: ["class"], attributes: { axis: 1 } }],
      outputs: [{ name: "class", dtype: "int64", shape: ["N", 1] }],
    }
    writeFileSync(model, writeOnnxModel(network))
    await expect(rank({ model, outputs: true })).rejects.toThrow(expect.objectContaining({ code: "NO_OUTPUTS" }))
    expect((await rank({ model })).ranking.confidence).toBeNull()
  })

  it("refuses what ONNX Runtime cannot run, and files that are no networks", async () => {
    const model = join(root, "bad.onnx")
    const network: WrittenModel = {
      ...smallNetwork,
      initializers: { ...smallNetwork.initializers, head: numbers("head", [9, 4]) },
    }
    writeFileSync(model, writeOnnxModel(network))
    await expect(rank({ model })).rejects.toThrow(expect.objectContaining({ code: "ONNX_RUN" }))
    writeFileSync(model, "no network")
    await expect(rank({ model })).rejects.toThrow(expect.objectContaining({ name: "LearnlossError" }))
    await expect(rank({ model: join(root, "missing.onnx") })).rejects.toThrow(
      expect.objectContaining({ name: "LearnlossError" }),
    )
  })
})
