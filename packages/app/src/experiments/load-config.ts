import { resolve } from "node:path"
import { dataFormats, generatedFormats, type RunConfig, runConfigSchema } from "@learnloss/contract"
import { foldedNorm, frozenParameters, readOnnxModel } from "@learnloss/engine"
import { findContradictions } from "./check-budget.ts"
import { configError, describeIssues, type FindOrigin } from "./config-issues.ts"
import { applyOverrides, type ConfigOverrides, parseOverrides } from "./overrides.ts"
import { findPreset } from "./presets.ts"
import { readSettings } from "./settings-file.ts"

/**
 * Reads, overrides and checks the settings of a run; the result is complete and frozen.
 *
 * @throws LearnlossError `CONFIG_INVALID` with everything that is wrong at once, and what reading a file throws.
 */
export function loadRunConfig(presetOrFile: string, given: ConfigOverrides = {}): RunConfig {
  const file = readSettings(presetOrFile)
  const overrides = parseOverrides(given)
  const applied = applyOverrides({ name: file.name, ...file.values }, overrides)
  // A preset's rate was made for the preset's network.
  const isOwn = findPreset(presetOrFile) === undefined || overrides.some(({ path }) => path.join(".") === rateKey)
  const input = withCarefulRate(applied, isOwn)
  const findOrigin: FindOrigin = (path) => {
    const override = overrides.findLast(({ path: changed }) => changed.every((key, index) => path[index] === key))
    if (override !== undefined) return override.origin
    const line = file.lineOf(path)
    return line === undefined ? undefined : `line ${line}`
  }
  const config = parseRunConfig(input, file.label, findOrigin)
  // Told now, before data are fetched and the engine is measured; the other checks need the data.
  const { model, freeze } = config
  if (model.onnx !== undefined) frozenParameters(readOnnxModel(model.onnx), [freeze].flat())
  return config
}

/** Checks settings from any source and freezes them; `label` names the source in errors. */
export function parseRunConfig(input: unknown, label: string, findOrigin: FindOrigin = () => undefined): RunConfig {
  const parsed = runConfigSchema.safeParse(input)
  if (!parsed.success) throw configError(label, describeIssues(parsed.error.issues, input, findOrigin))
  const contradictions = findContradictions(parsed.data)
  if (contradictions.length > 0) throw configError(label, contradictions)
  const { model, data } = parsed.data
  const placed = {
    ...model,
    ...(model.onnx !== undefined && { onnx: resolve(model.onnx) }),
    ...(model.weights !== undefined && { weights: resolve(model.weights) }),
  }
  return deepFreeze({ ...parsed.data, data: absoluteData(data), model: placed })
}

/** Learning rate for a network whose normalisation an exporter folded away: nothing keeps its scales in order. */
const carefulLearningRate = 0.001

const rateKey = "training.learningRate"

/** Lowers the learning rate where the network's file needs it, unless somebody chose one for this network. */
function withCarefulRate(input: unknown, isOwn: boolean): unknown {
  const { model, training } = input as { model?: { onnx?: unknown }; training?: { learningRate?: unknown } }
  if (typeof model?.onnx !== "string" || training === null || typeof training !== "object") return input
  if ((isOwn && training.learningRate !== undefined) || foldedNorm(readOnnxModel(model.onnx)) !== "yes") return input
  return { ...(input as object), training: { ...training, learningRate: carefulLearningRate } }
}

/** Makes the path of `FORMAT:PATH` absolute, so that a run can be resumed from any folder. */
function absoluteData(data: string): string {
  const [, format, path] = /^([\w-]+):(.+)$/.exec(data) ?? []
  const isFolder = dataFormats.some((known) => known === format && !generatedFormats.includes(known))
  return isFolder && path !== undefined ? `${format}:${resolve(path)}` : data
}

/** Freezes a value and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
