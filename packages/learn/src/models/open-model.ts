import type { RunConfig } from "@learnloss/contract"
import { InternalError, LearnlossError } from "@learnloss/engine"
import type { ImageShape } from "../data/dataset.ts"
import { type ImportedNetwork, openImported } from "./imported/open.ts"
import type { Model } from "./model.ts"
import { models } from "./models.ts"

/** A network that a run's settings name, and, where it comes from a file, what was found there. */
export interface OpenedModel {
  readonly model: Model
  readonly imported?: ImportedNetwork
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
  const { name, width, onnx, digest } = settings
  if (onnx === undefined) {
    if (name === undefined) throw new InternalError("settings name no network")
    return { model: models[name]({ width, ...data }) }
  }
  const imported = await openImported({ ...settings, onnx, freeze: [freeze].flat() }, data)
  if (digest !== undefined && digest !== imported.digest) {
    throw new LearnlossError("RUN_MODEL_CHANGED", {
      where: onnx,
      expected: `the file that the run was started with (SHA-256 ${digest.slice(0, 12)}...)`,
      got: `another one (${imported.digest.slice(0, 12)}...)`,
      fix: "Put the file back, or start a new run with another --out.",
    })
  }
  return { model: imported.model, imported }
}
