import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { rankArguments, writeRankInput } from "../rank/rank-files.test-suite.ts"
import { runMain } from "../run-main.test-suite.ts"

let root: string
let out: string
let losses: ReadonlyMap<string, number>
const environment = process.env.LEARNLOSS_CACHE
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "learnloss-rank-command-"))
  out = join(root, "out")
  process.env.LEARNLOSS_CACHE = join(root, "cache")
  losses = await writeRankInput(root, { labeled: 120, pool: 50 })
})
afterAll(() => {
  if (environment === undefined) delete process.env.LEARNLOSS_CACHE
  else process.env.LEARNLOSS_CACHE = environment
  rmSync(root, { recursive: true, force: true })
})

const command = (args: readonly string[], signal?: AbortSignal) => runMain(args, signal && { signal })
const rank = (...more: string[]) => command([...rankArguments(root, 5), "--out", out, ...more])
const read = (name: string) => readFileSync(join(out, name), "utf8")
const rowsOf = (name: string) =>
  read(name)
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","))

describe("learnloss rank", () => {
  it("writes the batch as CSV, JSON, COCO image list and picture, the whole ranking and a report", async () => {
    const { code, stdout, stderr } = await rank()
    expect([code, stderr.includes("learnloss:")]).toEqual([0, false])
    const [head, ...rows] = rowsOf("batch.csv")
    expect(head).toEqual(["rank", "id", "predictedLoss", "path"])
    expect(rows.map(([place]) => place)).toEqual(["1", "2", "3", "4", "5"])
    expect(rows[0]?.[3]).toBe(join(root, "pool", rows[0]?.[1] ?? ""))
    expect(existsSync(rows[0]?.[3] ?? "")).toBe(true)
    const redness = rows.map(([, id]) => losses.get(`pool/${id}`) as number)
    expect(Math.min(...redness)).toBeGreaterThan(0.7)

    const batch = JSON.parse(read("batch.json"))
    expect(batch.map(({ id }: { id: string }) => id)).toEqual(rows.map(([, id]) => id))
    const coco = JSON.parse(read("batch-coco.json"))
    expect(coco).toMatchObject({ annotations: [], categories: [] })
    expect(coco.images[0]).toEqual({ id: 1, file_name: rows[0]?.[1], width: 12, height: 8 })
    expect(rowsOf("ranking.csv")).toHaveLength(51)
    expect(rowsOf("ranking.csv").slice(0, 6)).toEqual([head, ...rows])
    expect(await sharp(join(out, "batch.png")).metadata()).toMatchObject({ format: "png" })

    const report = JSON.parse(read("report.json"))
    expect(report).toMatchObject({
      settings: { n: 5, seed: 0, diverse: false, preprocessing: { height: 8, width: 8, fit: "cover" } },
      reads: [{ name: "map", kind: "tap", features: 8 }],
      counts: { losses: 120, trainedOn: 96, heldOut: 24, poolImages: 50, alreadyLabeled: 0, unusable: 0 },
      warnings: [],
    })
    expect(report.heldOut.rankingAccuracy).toBeGreaterThan(0.8)
    expect(report.heldOut.interval[0]).toBeGreaterThan(0.5)

    expect(stdout).toContain(rows[0]?.[1])
    expect(stdout).toMatch(/Module: +ranking accuracy \d+\.\d% \(95% interval .*\), lift \d/)
    expect(stdout).toMatch(/Confidence: +ranking accuracy/)
    expect(stdout).toContain(`5 of 50 images to label next`)
    expect(stdout).toContain(join(out, "batch.csv"))
    expect(stderr).toMatch(/Taps: map \(8\) \(chosen here: --taps\)\nImages: 8x8 RGB, cover.*chosen here: --fit/)
    expect(stderr).toMatch(/features of the losses: 120 of 120\n/)
    expect(readdirSync(out).filter((name) => name.includes("partial"))).toEqual([])
  })

  it("prints one JSON object with --json, and the same batch again", async () => {
    const before = read("ranking.csv")
    const outcome = JSON.parse((await rank("--json")).stdout)
    expect(outcome.batch).toEqual(JSON.parse(read("batch.json")))
    expect(outcome).toMatchObject({ folder: out, files: { csv: join(out, "batch.csv") }, counts: { losses: 120 } })
    expect(read("ranking.csv")).toBe(before)
  })

  it("warns on stderr, in the text and in the JSON when the module is no better than chance", async () => {
    const path = join(root, "noise.csv")
    const rows = [...losses.keys()].filter((id) => id.startsWith("labeled/"))
    // The golden ratio's multiples have nothing to do with the images.
    writeFileSync(path, `id,loss\n${rows.map((id, index) => `${id.slice(8)},${(index * 0.618) % 1}\n`).join("")}`)
    const { code, stdout, stderr } = await rank("--losses", path)
    expect(code).toBe(0)
    for (const text of [stdout, stderr]) expect(text).toMatch(/Warning: The module is not shown to rank better/)
    expect(JSON.parse((await rank("--losses", path, "--json")).stdout).warnings).toHaveLength(1)
  })

  it("quotes ids with commas and shows --diverse batches by their place in the whole ranking", async () => {
    const pool = join(root, "commas")
    mkdirSync(pool)
    for (const index of [0, 1, 2, 3, 4, 5, 6, 7])
      await sharp({ create: { width: 9, height: 9, channels: 3, background: { r: 30 * index, g: 9, b: 9 } } })
        .png()
        .toFile(join(pool, `a, "${index}".png`))
    const { code } = await rank("--pool", pool, "--diverse", "--outputs", "-n", "2")
    expect(code).toBe(0)
    expect(read("batch.csv")).toMatch(/^1,"a, ""\d"".png",/m)
    expect(JSON.parse(read("report.json")).reads).toHaveLength(2)
  })

  it.each([
    ["a missing option", ["rank", "net.onnx", "-n", "5"], /required option '--losses/],
    ["no count", ["-n", "0"], /whole number of at least 1/],
    ["a size that is none", ["--image-size", "big"], /224 or 480x640/],
    ["a fit that is none", ["--fit", "crop"], /cover, stretch, letterbox/],
    ["a mean that is no number", ["--mean", "0.5,x,1"], /has to be a number/],
    ["a size that the network does not have", ["--image-size", "16"], /expected 8x8.*got 16x16/],
    ["taps that are not there", ["--taps", "mpa"], /Did you mean "map"/],
    ["a missing folder", ["--pool", "nowhere"], /--pool nowhere: expected a folder of images, got no such folder/],
    ["a missing file of losses", ["--losses", "nowhere.csv"], /nowhere.csv.*no such file/],
  ])("exits with 2 for %s", async (_, args, message) => {
    const { code, stdout, stderr } = args[0] === "rank" ? await command(args) : await rank(...args)
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(message)
  })

  it("refuses a file as its folder before any work", async () => {
    const { code, stderr } = await command([...rankArguments(root, 5), "--out", join(root, "net.onnx")])
    expect(code).toBe(2)
    expect(stderr).toMatch(/to be a folder, got a file/)
    expect(stderr).not.toContain("Taps")
  })

  it("exits with 130 after Ctrl-C and says that the same command goes on", async () => {
    const args = [...rankArguments(root, 5), "--out", join(root, "stopped")]
    const { code, stderr } = await command(args, AbortSignal.abort())
    expect(code).toBe(130)
    expect(stderr).toContain("the same command goes on")
    expect(existsSync(join(root, "stopped"))).toBe(false)
  })
})
