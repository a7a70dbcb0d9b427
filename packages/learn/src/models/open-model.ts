import type { RunConfig } from "@learnloss/contract"
import { InternalError, LearnlossError } from "@learnloss/engine"
import type { ImageShape } from "../data/dataset.ts"
import { type ImportedNetwork, openImported } from "./imported/open.ts"
import type { Model } from "./model.ts"
import { models } from "./models.ts"
import { readVggWeights } from "./ssd/vgg-weights.ts"

/** A network that a run's settings name, and, where it comes from a file, what was found there. */
export interface OpenedModel {
  readonly model: Model
  readonly imported?: ImportedNetwork
  /** SHA-256 of the file that the network or its first weights come from; undefined where there is none. */
  digest(): string | undefined
}

/**
 * Opens the network of a run.
 *
 * @throws LearnlossError `RUN_MODEL_CHANGED` when its file is no longer the one that the run was started with, and what
 * `openImported` throws
 */
export async function openModel(
  { model: settings, freeze }: Pick<RunConfig, "model" | "freeze">,
  data: { readonly imageShape: ImageShape; readonly classes: number },
): Promise<OpenedModel> {
  const { name, width, onnx, weights } = settings
  if (onnx === undefined) {
    if (name === undefined) throw new InternalError("settings name no network")
    const options = { width, ...data, hourglass: settings }
    if (weights === undefined) return { model: models[name](options), digest: () => undefined }
    const read = once(() => {
      const found = readVggWeights(weights, width)
      requireUnchanged(settings, weights, found.digest)
      return found
    })
    return { model: models[name]({ ...options, weights: () => read().tensors }), digest: () => read().digest }
  }
  const imported = await openImported({ ...settings, onnx, freeze: [freeze].flat() }, data)
  requireUnchanged(settings, onnx, imported.digest)
  return { model: imported.model, imported, digest: () => imported.digest }
}

function requireUnchanged({ digest }: RunConfig["model"], file: string, found: string): void {
  if (digest === undefined || digest === found) return
  throw new LearnlossError("RUN_MODEL_CHANGED", {
    where: file,
    expected: `the file that the run was started with (SHA-256 ${digest.slice(0, 12)}...)`,
    got: `another one (${found.slice(0, 12)}...)`,
    fix: "Put the file back, or start a new run with another --out.",
  })
}

/** Makes something when it is first asked for: what only evaluates a trained network needs none of its first weights. */
function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
