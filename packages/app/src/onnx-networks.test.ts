import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compileModel, floatTensor, readOnnxModel, readSafetensors } from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { runMain } from "./run-main.test-suite.ts"

/** What `fixtures/make-imports.py` writes: a few training steps of PyTorch on the images beside them. */
interface FitFixture {
  readonly runs: readonly { readonly onnx: string; readonly losses: readonly number[] }[]
}

const fixtures = new URL("../../../fixtures/imports/", import.meta.url).pathname
const images = join(fixtures, "fit")
const { runs }: FitFixture = JSON.parse(readFileSync(join(images, "fit.json"), "utf8"))

let root: string
const cacheBefore = process.env.LEARNLOSS_CACHE
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "learnloss-onnx-"))
  process.env.LEARNLOSS_CACHE = join(root, "cache")
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
  if (cacheBefore === undefined) delete process.env.LEARNLOSS_CACHE
  else process.env.LEARNLOSS_CACHE = cacheBefore
})

const command = (args: readonly string[], onSaid = (_: string) => {}, signal = new AbortController().signal) =>
  runMain(args, { onSaid, signal })

/** Runs a fit that ends within its first steps, whatever the machine's speed. */
async function interrupted(args: readonly string[]) {
  const controller = new AbortController()
  const watch = setInterval(() => existsSync(join(root, "trained.onnx.checkpoint")) && controller.abort(), 1)
  const outcome = await command(args, undefined, controller.signal)
  clearInterval(watch)
  return outcome
}

function fitArguments(onnx: string, ...more: readonly string[]): string[] {
  const settings =
    "--batch 32 --steps 20 --lr 0.01 --momentum 0.9 --weight-decay 0 --no-shuffle --no-augment --fixed-lowerings --threads 1"
  const colours = "--mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616"
  const files = ["--log", join(root, "steps.jsonl"), "--out", join(root, "trained.onnx")]
  return [
    "fit",
    join(images, onnx),
    "--data",
    `cifar10:${images}`,
    ...`${settings} ${colours}`.split(" "),
    ...files,
    ...more,
  ]
}

const stepLines = () =>
  readFileSync(join(root, "steps.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { step: number; loss: number; lossPrediction: number })

describe("learnloss fit", () => {
  it.each(runs)("has PyTorch's losses on $onnx", async ({ onnx, losses }) => {
    const { code, stdout } = await command(fitArguments(onnx, "--loss-weight", "0"))
    expect(code).toBe(0)
    expect(stdout).toContain("accuracy")
    const lines = stepLines()
    expect(lines.map(({ step }) => step)).toEqual(losses.map((_, index) => index + 1))
    for (const [index, { loss, lossPrediction }] of lines.entries()) {
      expect(relativeDifference([loss], [losses[index]!]), `step ${index + 1}`).toBeLessThan(1e-4)
      expect(lossPrediction).toBeGreaterThan(0)
    }
  })

  it("says that normalisation was folded away, and trains slowly unless told otherwise", async () => {
    const args = fitArguments("folded.onnx").filter((each, index, all) => each !== "--lr" && all[index - 1] !== "--lr")
    const { code, stderr } = await command(args)
    expect(code).toBe(0)
    expect(stderr).toContain("torch.onnx.export(")
    expect(stderr).toContain("the learning rate is 0.001")
    const rates = readFileSync(join(root, "steps.jsonl"), "utf8").match(/"learningRate":[\d.e-]+/g)
    expect(Number(rates?.[0]?.split(":")[1])).toBeCloseTo(0.001, 6)
  })

  it("writes the network and its loss module, and goes on to the same bits after Ctrl-C", async () => {
    await command(fitArguments("training.onnx"))
    const [whole, losses] = [readFileSync(join(root, "trained.onnx")), stepLines()]
    expect(existsSync(join(root, "trained.onnx.checkpoint"))).toBe(false)
    rmSync(join(root, "trained.onnx"))
    const broken = await interrupted(fitArguments("training.onnx"))
    expect(broken.code).toBe(130)
    expect(existsSync(join(root, "trained.onnx"))).toBe(false)
    const again = await command(fitArguments("training.onnx"))
    expect(again.stderr).toContain("Going on after step")
    expect(readFileSync(join(root, "trained.onnx")).equals(whole)).toBe(true)
    expect(stepLines()).toEqual(losses)
    const session = await compileModel(whole, { threads: 1 })
    const result = await session.run({ images: floatTensor([3, 3, 32, 32]) })
    await session.release()
    expect(Object.entries(result).map(([name, { shape }]) => [name, shape])).toEqual([
      ["logits", [3, 10]],
      ["predictedLoss", [3]],
    ])
  })

  it("keeps what is frozen, computed ahead and all, and trains the rest", async () => {
    const { code } = await command(fitArguments("training.onnx", "--freeze", "stage1*"))
    expect(code).toBe(0)
    const [before, after] = [readOnnxModel(join(images, "training.onnx")), readOnnxModel(join(root, "trained.onnx"))]
    const numbersOf = (model: typeof before, name: string) => [
      ...(model.initializers.get(name)!.read().data as Float32Array),
    ]
    const weights = [...before.initializers].filter(([, { shape }]) => shape.length > 1).map(([name]) => name)
    const changed = weights.filter((name) => `${numbersOf(before, name)}` !== `${numbersOf(after, name)}`)
    expect(weights.filter((name) => name.startsWith("stage1")).length).toBeGreaterThan(0)
    expect(changed).toEqual(weights.filter((name) => !name.startsWith("stage1")))
  })

  it.each([
    ["a tap that does not exist", ["--taps", "nowhere"], /nowhere.*model inspect/s],
    ["a pattern that matches nothing", ["--freeze", "stage9*"], /stage9.*no match/s],
    ["a value that does not exist as output", ["--output", "logit"], /Did you mean logits/],
    ["a mean without a deviation", ["--mean", "0,0,0"], /--mean|both/],
  ])("refuses %s with exit code 2 and writes nothing", async (_, options, reason) => {
    const args = fitArguments("training.onnx", ...options)
    const cut = options[0] === "--mean" ? args.slice(0, -2).filter((each) => !/--(mean|std)|0\.\d+,/.test(each)) : args
    const { code, stderr } = await command(options[0] === "--mean" ? [...cut, ...options] : args)
    expect(code).toBe(2)
    expect(stderr).toMatch(reason)
    expect(existsSync(join(root, "trained.onnx"))).toBe(false)
    expect(existsSync(join(root, "trained.onnx.checkpoint"))).toBe(false)
  })

  it("never writes over the network that it starts from", async () => {
    const onnx = join(root, "mine.onnx")
    copyFileSync(join(images, "training.onnx"), onnx)
    const { code, stderr } = await command(["fit", onnx, "--data", `cifar10:${images}`, "--steps", "1", "--out", onnx])
    expect([code, existsSync(`${onnx}.checkpoint`)]).toEqual([2, false])
    expect(stderr).toContain("another file than the network")
  })

  it("refuses to go on with other settings than training was begun with", async () => {
    await interrupted(fitArguments("training.onnx"))
    const { code, stderr } = await command(fitArguments("training.onnx", "--seed", "5"))
    expect(code).toBe(2)
    expect(stderr).toMatch(/seed: expected 0.*got 5/)
  })

  it("refuses to go on when another network stands in the same file", async () => {
    const [onnx, other] = [join(root, "net.onnx"), join(images, "folded.onnx")]
    const args = fitArguments("training.onnx").map((each) => (each.endsWith("training.onnx") ? onnx : each))
    copyFileSync(join(images, "training.onnx"), onnx)
    await interrupted(args)
    copyFileSync(other, onnx)
    const changed = await command(args)
    expect(changed.code).toBe(2)
    expect(changed.stderr).toMatch(/net.onnx: expected the file that this training was begun with.*got another one/)
    copyFileSync(join(images, "training.onnx"), onnx)
    const again = await command(args)
    expect(again.code).toBe(0)
    expect(again.stderr).toContain("Going on after step")
  })

  it.each([
    ["an odd batch", ["--batch", "33"], /--batch: expected an even number, got 33/],
    ["a schedule that does not exist", ["--schedule", "bogus"], /--schedule: expected one of constant.*got "bogus"/],
    ["a rate of nothing", ["--lr", "0"], /--lr: expected more than 0, got 0/],
    ["a deviation of nothing", ["--std", "0.5,0,0.5"], /--std: expected more than 0, got 0/],
    ["two values for three channels", ["--mean", "0.5,0.5"], /--mean: expected one value or three, got 2/],
    ["steps and epochs together", ["--epochs", "1"], /--steps, --epochs: expected exactly one of them, got both/],
    ["two things that are wrong", ["--lr", "0", "--batch", "1"], /- --batch: .*\n.*- --lr: /],
    ["a folder to write to", ["--out", images], /--out .*fit: expected a file, or nothing there yet, got a folder/],
    [
      "a file below a file",
      ["--out", join(images, "fit.json", "a", "net.onnx")],
      /--out .* to be a folder, got a file/,
    ],
    ["a log below a file", ["--log", join(images, "fit.json", "log")], /--log .* to be a folder, got a file/],
  ])("refuses %s before anything is written", async (_, more, reason) => {
    const { code, stderr } = await command(fitArguments("training.onnx", ...more))
    expect(code).toBe(2)
    expect(stderr).toMatch(reason)
    expect(stderr).not.toContain("Invalid")
    expect(readdirSync(root)).toEqual([])
  })

  it("takes one mean and deviation for all channels", async () => {
    const one = fitArguments("training.onnx", "--mean", "0.5", "--std", "0.25", "--steps", "3")
    expect((await command(one)).code).toBe(0)
    const losses = stepLines()
    expect(losses.every(({ loss }) => Number.isFinite(loss))).toBe(true)
    await command([...one, "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"])
    expect(stepLines()).toEqual(losses)
  })
})

describe("a run on an ONNX network", () => {
  const writeSettings = (changes: string) => {
    const path = join(root, "settings.yaml")
    writeFileSync(
      path,
      `data: cifar10:${images}
model: { onnx: "${join(images, "training.onnx")}" }
augment: { crop: 0, flip: false }
training: { steps: 6, batch: 16, learningRate: 0.01, startFrom: fresh, checkpointSeconds: 0 }
lossModule: { width: 8 }
budget: { initial: 40, perCycle: 20, cycles: 2 }
strategies: [random, learning-loss-outputs]
engine: { lowerings: fixed, threads: 1 }
${changes}`,
    )
    return path
  }
  const records = (folder: string) => {
    const text = readFileSync(join(root, folder, "cycles.jsonl"), "utf8")
    return text.replaceAll(/"\w+Seconds":[^,}]+/g, "")
  }

  it("learns actively, exports what it trained, and resumes only with the same file", async () => {
    const { code } = await command(["run", writeSettings("freeze: [stage1*]"), "--out", join(root, "run")])
    expect(code).toBe(0)
    const config = JSON.parse(readFileSync(join(root, "run", "config.json"), "utf8"))
    expect(config.model.digest).toMatch(/^[0-9a-f]{64}$/)
    const out = join(root, "exported.onnx")
    const ambiguous = await command(["export", join(root, "run"), "--out", out])
    expect(ambiguous.code).toBe(2)
    expect(ambiguous.stderr).toContain("random trial 1")
    for (const from of [
      [join(root, "run"), "--strategy", "learning-loss-outputs"],
      [join(root, "run", "checkpoints", "learning-loss-outputs-trial1")],
    ]) {
      const exported = await command(["export", ...from, "--out", out])
      expect(exported.code).toBe(0)
      expect(exported.stdout).toContain("network of learning-loss-outputs, trial 1, after cycle 2")
      expect(readOnnxModel(out).outputs.map(({ name }) => name)).toEqual(["logits", "predictedLoss"])
      rmSync(out)
    }
    const checkpoint = join(root, "run", "checkpoints", "learning-loss-outputs-trial1")
    const { weights } = JSON.parse(readFileSync(join(checkpoint, "checkpoint.json"), "utf8"))
    const names = [...readSafetensors(join(checkpoint, weights)).keys()]
    expect(names.some((name) => name.startsWith("stage2"))).toBe(true)
    expect(names.some((name) => name.startsWith("stage1"))).toBe(false)

    config.model.digest = "0".repeat(64)
    writeFileSync(join(root, "run", "config.json"), JSON.stringify(config))
    writeFileSync(join(root, "run", "cycles.jsonl"), "")
    const changed = await command(["resume", join(root, "run")])
    expect(changed.code).toBe(2)
    expect(changed.stderr).toContain("the file that the run was started with")
  })

  it("says of the export of an interrupted run that its cycle was unfinished", async () => {
    const controller = new AbortController()
    const folder = join(root, "run", "checkpoints", "random-trial1")
    const watch = setInterval(() => existsSync(folder) && controller.abort(), 1)
    const settings = writeSettings("")
    writeFileSync(settings, readFileSync(settings, "utf8").replace("steps: 6", "steps: 60"))
    expect((await command(["run", settings, "--out", join(root, "run")], undefined, controller.signal)).code).toBe(130)
    clearInterval(watch)
    const args = ["export", join(root, "run"), "--out", join(root, "unfinished.onnx")]
    expect((await command(args)).stdout).toMatch(/after step \d+ of 60 of cycle 1\n/)
    const { cycle, step, steps } = JSON.parse((await command([...args, "--json"])).stdout)
    expect({ cycle, steps }).toEqual({ cycle: 1, steps: 60 })
    expect(step).toBeGreaterThan(0)
    expect(step).toBeLessThan(60)
  })

  it("gives the same records with the frozen part's outputs on disk already, and without a cache", async () => {
    const settings = writeSettings("freeze: [stage1*]")
    await command(["run", settings, "--out", join(root, "one")])
    await command(["run", settings, "--out", join(root, "two")])
    rmSync(join(root, "cache"), { recursive: true })
    await command(["run", settings, "--out", join(root, "three")])
    expect(records("two")).toBe(records("one"))
    expect(records("three")).toBe(records("one"))
  })

  it("lowers the learning rate of a folded network, unless one is given", async () => {
    const settings = writeSettings("").replace("settings", "folded")
    const text = readFileSync(join(root, "settings.yaml"), "utf8").replace("training.onnx", "folded.onnx")
    writeFileSync(settings, text.replace("learningRate: 0.01, ", ""))
    const { stdout } = await command(["run", settings, "--dry-run", "--json"])
    expect(JSON.parse(stdout).config.training.learningRate).toBe(0.001)
    writeFileSync(settings, text)
    expect(
      JSON.parse((await command(["run", settings, "--dry-run", "--json"])).stdout).config.training.learningRate,
    ).toBe(0.01)
  })

  it("lowers a preset's learning rate too: it was made for another network", async () => {
    const onnx = join(images, "folded.onnx")
    const args = ["run", "fashion-mnist-cpu", "--set", `model={onnx: "${onnx}"}`, "--dry-run", "--json"]
    expect(JSON.parse((await command(args)).stdout).config.training.learningRate).toBe(0.001)
    const chosen = await command([...args, "--set", "training.learningRate=0.02"])
    expect(JSON.parse(chosen.stdout).config.training.learningRate).toBe(0.02)
  })

  it.each([
    ["freeze without a file", "model: { name: cnn4 }\nfreeze: [a]", /model.onnx/],
    ["stacks of the network that has two", "model: { name: hourglass2, stacks: 4 }", /two stacks .*name hourglass/],
    ["a name and a file together", 'model: { name: cnn4, onnx: "a.onnx" }', /exactly one of name and onnx/],
    [
      "a pattern that matches nothing",
      `model: { onnx: "${join(images, "training.onnx")}" }\nfreeze: [stage9*]`,
      /stage9/,
    ],
    ["a file that is not there", 'model: { onnx: "nowhere.onnx" }', /nowhere.onnx/],
  ])("refuses %s before anything is written", async (_, lines, reason) => {
    const path = writeSettings("")
    writeFileSync(path, readFileSync(path, "utf8").replace(/^model: .*$/m, lines))
    const { code, stderr } = await command(["run", path, "--out", join(root, "run")])
    expect(code).toBe(2)
    expect(stderr).toMatch(reason)
    expect(existsSync(join(root, "run"))).toBe(false)
  })
})
