import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { writeImages, writeTrainedRun } from "../predict/predict-run.test-suite.ts"
import { runMain } from "../run-main.test-suite.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-predict-command-"))
const [run, photos, model] = [join(root, "run"), join(root, "photos"), join(root, "trained.onnx")]
beforeAll(async () => {
  await writeTrainedRun(run, [
    { strategy: "random", trial: 1, accuracy: 0.5 },
    { strategy: "random", trial: 2, accuracy: 0.7 },
    { strategy: "learning-loss", trial: 1, accuracy: 0.6 },
  ])
  await writeImages(photos, 5)
  await writeImages(join(root, "more"), 1)
  const { code } = await runMain(["export", run, "--strategy", "learning-loss", "--out", model])
  expect(code).toBe(0)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const predict = (...args: string[]) => runMain(["predict", ...args])

describe("learnloss predict", () => {
  it("prints the most probable classes of each image, and says whose network it is", async () => {
    const { code, stdout, stderr } = await predict(model, photos)
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split("\n")
    expect(lines).toHaveLength(5)
    for (const [index, line] of lines.entries()) {
      expect(line).toMatch(/: (cat|dog|bird) \d+\.\d%, (cat|dog|bird) \d+\.\d%, (cat|dog|bird) \d+\.\d%$/)
      expect(line.startsWith(`${join(photos, `${index}.png`)}: `)).toBe(true)
    }
    expect(stderr).toContain(`network of ${model}\n`)
  })

  it("takes the best network of a run unless it is told which", async () => {
    const best = await predict(run, photos)
    expect(best.stderr).toContain("network of random, trial 2, after cycle 2 (200 labels, test accuracy 70.0%)\n")
    const chosen = await predict(run, photos, "--strategy", "learning-loss")
    expect(chosen.stderr).toContain("network of learning-loss, trial 1, after cycle 2")
    expect(chosen.stdout).not.toBe(best.stdout)
    expect(chosen.stdout).toBe((await predict(model, photos)).stdout)
    const place = await predict(join(run, "checkpoints", "learning-loss-trial1"), photos)
    expect(place.stdout).toBe(chosen.stdout)
  })

  it("prints one JSON object with all classes, predicted losses and sizes", async () => {
    const { stdout } = await predict(model, join(photos, "*.png"), "--json")
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ network: model, task: "classification", classes: ["cat", "dog", "bird"] })
    expect(result.images).toHaveLength(5)
    expect(result.images[0]).toMatchObject({ path: join(photos, "0.png"), width: 30, height: 20 })
    expect(result.images[0].predictedLoss).toBeTypeOf("number")
    const scores = result.images[0].predictions.map(({ score }: { score: number }) => score)
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a))
    expect(scores.reduce((sum: number, score: number) => sum + score)).toBeCloseTo(1, 6)
    expect(result.unreadable).toEqual([])
  })

  it("leaves out what is less probable than the threshold", async () => {
    const { stdout } = await predict(model, photos, "--threshold", "1")
    expect(stdout).toMatch(/0\.png: no class is that probable\n/)
  })

  it("names every image that cannot be read, predicts the others and exits with 2", async () => {
    writeFileSync(join(root, "broken.jpg"), "not an image")
    writeFileSync(join(root, "empty.png"), "")
    const missing = join(root, "nowhere.jpg")
    const args = [model, join(root, "broken.jpg"), photos, join(root, "empty.png"), missing]
    const { code, stdout, stderr } = await predict(...args)
    expect(code).toBe(2)
    expect(stdout.trimEnd().split("\n")).toHaveLength(5)
    expect(stderr).toMatch(/broken\.jpg: expected a JPEG, PNG or WebP image, got .*\n.*empty\.png: .* an empty file\n/)
    expect(stderr).toMatch(
      /nowhere\.jpg: expected a readable file, got .*no such file.*\n3 of 8 images could not be read\n/,
    )
    const json = await predict(...args, "--json")
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout).unreadable.map(({ path }: { path: string }) => path)).toEqual([
      args[1],
      args[3],
      missing,
    ])
  })

  it("writes to a file instead, whole or not at all", async () => {
    const out = join(root, "out", "predictions.json")
    const { code, stdout } = await predict(model, photos, "--format", "json", "--out", out)
    expect([code, stdout]).toEqual([0, `${out}: predictions of 5 images\n`])
    expect(JSON.parse(readFileSync(out, "utf8")).images).toHaveLength(5)
    const stopped = join(root, "stopped.json")
    const signal = AbortSignal.abort()
    const { code: interrupted } = await runMain(["predict", model, photos, "--json", "--out", stopped], { signal })
    expect(interrupted).toBe(130)
    expect(existsSync(stopped)).toBe(false)
  })

  it("draws each image under its name, with its most probable classes", async () => {
    const drawn = join(root, "drawn")
    const { code, stderr } = await predict(model, photos, join(root, "more", "0.png"), "--draw", drawn)
    expect(code).toBe(0)
    expect(stderr).toContain(`${drawn}: pictures of 6 images\n`)
    const names = ["0-2.png", "0.png", "1.png", "2.png", "3.png", "4.png"]
    expect(readdirSync(drawn).toSorted()).toEqual(names)
    expect((await sharp(join(drawn, "4.png")).metadata()).width).toBeGreaterThan(100)
  })

  it.each([
    ["drawings over the images", () => [model, photos, "--draw", photos], /0\.png would be written over/],
    [
      "boxes of a classifier",
      () => [model, photos, "--format", "coco"],
      /finds objects or people, got one for classification/,
    ],
    ["a network that is not there", () => ["nowhere.onnx", photos], /nowhere\.onnx: .*, got nothing there/],
    ["images that are not there", () => [model, "nowhere"], /nowhere: expected a readable file, got .*no such file/],
    ["a strategy of a file", () => [model, photos, "--strategy", "random"], /Leave --strategy/],
    ["a strategy without a network", () => [run, photos, "--strategy", "entropy"], /random trial 1, random trial 2/],
    ["a file that is no network", () => [join(photos, "0.png"), photos], /0\.png/],
    ["a folder that is no run", () => [photos, photos], /config\.json/],
    ["a threshold above one", () => [model, photos, "--threshold", "50"], /number in 0\.\.1/],
    ["a folder as file", () => [model, photos, "--out", photos], /--out .*, got a folder/],
  ])("exits with 2 for %s", async (_, args, message) => {
    const { code, stdout, stderr } = await predict(...args())
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(message)
  })
})
