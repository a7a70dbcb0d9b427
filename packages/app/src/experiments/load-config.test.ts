import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loadRunConfig } from "./load-config.ts"
import type { ConfigOverrides } from "./overrides.ts"
import { presetNames } from "./presets.ts"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-config-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const small = `data: shapes
model: { name: cnn4, width: 4 }
training:
  steps: 30
budget:
  initial: 40
  perCycle: 20
  cycles: 3
strategies: [random]
`

function write(text: string, name = "small.yaml"): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function failure(presetOrFile: string, given: ConfigOverrides = {}): LearnlossError {
  try {
    loadRunConfig(presetOrFile, given)
  } catch (error) {
    if (error instanceof LearnlossError) return error
    throw error
  }
  throw new Error("was accepted")
}

describe("loadRunConfig", () => {
  it.each(presetNames())("accepts the preset %s, named as its file", (name) => {
    expect(loadRunConfig(name).name).toBe(name)
    expect(loadRunConfig(name).description).not.toBe("")
  })

  it("ships the presets that the README names", () => {
    const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8")
    for (const name of presetNames().filter((each) => each !== "shapes-tiny"))
      expect(readme).toContain(`| \`${name}\` |`)
    const named = ["cifar10-cpu", "cifar10-paper", "demo", "fashion-mnist-cpu", "shapes-tiny"]
    expect(presetNames()).toEqual(expect.arrayContaining(named))
  })

  it("fills in defaults, takes the name from the file and freezes everything", () => {
    const config = loadRunConfig(write(small))
    expect(config).toMatchObject({ name: "small", trials: 1, augment: { crop: 4 }, training: { batch: 128 } })
    expect(Object.isFrozen(config.training.schedule)).toBe(true)
  })

  it("takes values from the command line as YAML", () => {
    const set = ["strategies=[entropy, core-set]", "pool.imbalance=50", "training.schedule={kind: cosine}"]
    const config = loadRunConfig(write(small), { set, trials: "2", seed: "7" })
    expect(config).toMatchObject({ strategies: ["entropy", "core-set"], pool: { imbalance: 50 }, trials: 2, seed: 7 })
    expect(config.training.schedule).toEqual({ kind: "cosine" })
    expect(loadRunConfig("demo", { strategies: "random, entropy" }).strategies).toEqual(["random", "entropy"])
  })

  it("lets epochs replace steps, and another schedule the settings of the old one", () => {
    const set = ["training.epochs=3", "training.schedule.kind=constant"]
    expect(loadRunConfig("demo", { set }).training).toMatchObject({ epochs: 3, schedule: { kind: "constant" } })
    expect(loadRunConfig("demo", { set }).training.steps).toBeUndefined()
    expect(loadRunConfig("cifar10-paper", { set }).training.schedule).toEqual({ kind: "constant" })
  })

  it("makes the path of data absolute, so that resume works from any folder", () => {
    const config = loadRunConfig("cifar10-cpu", { set: ["data=cifar10:some/folder"] })
    expect(config.data).toBe(`cifar10:${join(process.cwd(), "some/folder")}`)
  })
})

describe("errors in settings", () => {
  it.each<[string, string, ConfigOverrides, string[]]>([
    ["a misspelt key", small.replace("perCycle", "perCyle"), {}, ["budget.perCyle (line 7)", "perCycle?"]],
    ["a key of another group", `${small}batch: 64\n`, {}, ["batch (line 10)", "Did you mean training.batch?"]],
    ["a misspelt strategy", small.replace("random", "randon"), {}, ["strategies[0] (line 9)", "Did you mean random?"]],
    ["a misspelt strategy option", small, { strategies: "entrpy" }, ["strategies[0] (--strategies)", "entropy?"]],
    ["a misspelt --set key", small, { set: ["model.widht=8"] }, ["model.widht (--set model.widht)", "width?"]],
    ["misspelt data", small, { set: ["data=shaeps"] }, ["Did you mean shapes?"]],
    [
      "a moment behind the end",
      small,
      { set: ["training.schedule={kind: step, milestones: [160]}"] },
      ["training.schedule.milestones.0", "160", "60%"],
    ],
    [
      "an untrained module that would select",
      small,
      { set: ["lossModule.training=none"], strategies: "learning-loss" },
      ["strategy learning-loss", "a loss module that is trained in every cycle"],
    ],
    ["a module without weight", small, { set: ["lossModule.weight=0"] }, ["lossModule.weight"]],
    ["a misspelt schedule", small, { set: ["training.schedule.kind=cosin"] }, ["training.schedule.kind", "cosine?"]],
    ["a schedule's alien key", small, { set: ["training.schedule={kind: cosine, gama: 1}"] }, ["gama", "gamma?"]],
    ["an odd batch", small, { set: ["training.batch=3"] }, ["training.batch", "an even number, got 3"]],
    ["a wrong type", small, { trials: "many" }, ["trials (--trials)", 'a number, got "many"']],
    ["a fraction", small, { seed: "1.5" }, ["seed (--seed)", "a whole number, got 1.5"]],
    ["a value out of range", small, { set: ["training.momentum=1"] }, ["training.momentum", "less than 1, got 1"]],
    ["a bad share", small, { set: ["lossModule.stopGradientAt=half"] }, ["lossModule.stopGradientAt", "60%"]],
    ["a missing key", small.replace("  cycles: 3\n", ""), {}, ["budget.cycles (line 6)", "a number, got nothing"]],
    ["no length of training", small.replace("steps", "batch"), {}, ["training", "exactly one of epochs and steps"]],
    ["no strategy", small, { set: ["strategies=[]"] }, ["strategies", "a list of at least 1"]],
    ["a strategy twice", small, { strategies: "random,random" }, ["strategies", "random more than once"]],
    ["a budget above the pool's size", small, { set: ["pool.size=70"] }, ["40 + 20 x 2 = 80", "70 images"]],
    ["too few candidates", small, { set: ["budget.candidates=10"] }, ["budget.candidates", "(20)", "got 10"]],
    [
      "jobs that share a device",
      small,
      { set: ["engine.jobs=2", "engine.device=webgpu"] },
      ["engine.jobs", "webgpu takes one job after the other", "got 2"],
    ],
  ])("names the place of %s, what was expected and what came", (_, text, given, parts) => {
    const error = failure(write(text), given)
    expect(error.code).toBe("CONFIG_INVALID")
    expect(error.message).toContain("small.yaml: ")
    for (const part of parts) expect(error.message).toMatch(literally(part))
  })

  it("lists all problems at once", () => {
    const { message } = failure(write(small.replace("perCycle", "perCyle").replace("cnn4", "cnn5")), { trials: "0" })
    expect(message).toContain("4 problems")
    expect(message).toMatch(/budget\.perCyle.*Did you mean perCycle/)
    expect(message).toMatch(
      /model\.name \(line 2\): expected one of resnet18, cnn4, .*, got "cnn5"\. Did you mean cnn4\?/,
    )
    expect(message).toMatch(/trials \(--trials\): expected more than 0, got 0/)
  })

  it.each([
    [
      "figures-cpu",
      "model.name=ssd-mobile",
      /model\.name.*: expected a network for task pose: hourglass or hourglass2, got "ssd-mobile"/,
    ],
    [
      "shapes-tiny",
      "model.name=hourglass",
      /expected a network for task classification: resnet18 or cnn4, got "hourglass"/,
    ],
    [
      "figures-cpu",
      "task=detection",
      /expected a network for task detection: ssd300-vgg16 or ssd-mobile, got "hourglass"/,
    ],
  ])("refuses %s with %s before any data are read", (preset, set, words) => {
    expect(failure(preset, { set: [set] }).message).toMatch(words)
  })

  it("refuses a network from a file for a task that is not of classes", () => {
    const onnx = new URL("../../../../fixtures/imports/fit/training.onnx", import.meta.url).pathname
    expect(failure("figures-cpu", { set: [`model={onnx: ${onnx}}`] }).message).toMatch(
      /model\.onnx.*: expected a network for task pose: hourglass or hourglass2, got .*training\.onnx/,
    )
  })

  it("names the nearest preset and all others", () => {
    const error = failure("cifar-cpu")
    expect(error.code).toBe("PRESET_UNKNOWN")
    expect(error.message).toMatch(/"cifar-cpu": .*cifar10-cpu, cifar10-paper, demo.*Did you mean cifar10-cpu\?/)
  })

  it.each([
    ["CONFIG_UNREADABLE", "missing.yaml", null],
    ["CONFIG_NOT_YAML", "empty.yaml", ""],
    ["CONFIG_NOT_YAML", "list.yaml", "- a\n- b\n"],
    ["CONFIG_NOT_YAML", "broken.yaml", "a: [1,\nb: 2\n"],
    ["CONFIG_NOT_YAML", "twice.yaml", "a: 1\na: 2\n"],
  ])("gives %s for %s", (code, name, text) => {
    const file = text === null ? join(folder, name) : write(text, name)
    const error = failure(file)
    expect(error.code).toBe(code)
    expect(error.message).toContain(name)
  })

  it.each(["seed", "=3", "a..b=3", "seed=[1"])("refuses --set %s", (text) => {
    expect(failure("demo", { set: [text] }).code).toBe("SET_MALFORMED")
  })
})

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
}
