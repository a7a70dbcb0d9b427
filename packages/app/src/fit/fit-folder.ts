import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type FitSettings, fitSettingsSchema } from "@learnloss/contract"
import { atomicWrite, LearnlossError, type LoweringPlan } from "@learnloss/engine"

const settingsFile = "fit.json"

/** Where a fit keeps its settings and checkpoints until it is done, beside the file that it will write. */
export function fitFolder(out: string): string {
  return `${out}.checkpoint`
}

/**
 * The settings with which a fit goes on: those of an earlier process, whose choice of lowerings decides its bits, or the
 * given ones where nothing was begun.
 *
 * @throws LearnlossError `FIT_SETTINGS_CHANGED` when what was begun had other settings, or another network in the same file
 */
export function settingsToGoOnWith(folder: string, given: FitSettings): FitSettings {
  const path = join(folder, settingsFile)
  if (!existsSync(path)) return given
  const fix = `Give the same options, or delete ${folder} to begin anew.`
  const stored = fitSettingsSchema.safeParse(parse(readFileSync(path, "utf8")))
  if (!stored.success) {
    throw new LearnlossError("FIT_SETTINGS_CHANGED", {
      where: path,
      expected: "settings of a fit",
      got: "another file",
      fix,
    })
  }
  const differing = Object.keys(given).find((key) => {
    const name = key as keyof FitSettings
    if (name === "lowerings" || name === "digest") return false
    return JSON.stringify(given[name]) !== JSON.stringify(stored.data[name])
  }) as keyof FitSettings | undefined
  if (differing !== undefined) {
    throw new LearnlossError("FIT_SETTINGS_CHANGED", {
      where: `${path}, ${differing}`,
      expected: `${JSON.stringify(stored.data[differing])}, with which this training was begun`,
      got: JSON.stringify(given[differing]),
      fix,
    })
  }
  requireSameNetwork(stored.data, given, folder)
  return { ...stored.data, digest: given.digest }
}

/** The path of the network stayed the same; what stands there may not have. */
function requireSameNetwork({ digest: begun }: FitSettings, { onnx, digest }: FitSettings, folder: string): void {
  if (begun === undefined || digest === undefined || begun === digest) return
  throw new LearnlossError("FIT_SETTINGS_CHANGED", {
    where: onnx,
    expected: `the file that this training was begun with (SHA-256 ${begun.slice(0, 12)}...)`,
    got: `another one (${digest.slice(0, 12)}...)`,
    fix: `Put the file back, or delete ${folder} to begin anew.`,
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Writes down what a fit needs to go on to the same bits. */
export function keepSettings(folder: string, settings: FitSettings, plan: LoweringPlan): void {
  atomicWrite(join(folder, settingsFile), `${JSON.stringify({ ...settings, lowerings: plan }, null, 2)}\n`)
}

export function removeFitFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
