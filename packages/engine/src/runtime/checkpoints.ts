import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { LearnlossError } from "../errors.ts"
import { atomicWrite } from "../files/atomic-write.ts"
import { readSafetensors, writeSafetensors } from "../files/safetensors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { ParameterSpec, TensorMap } from "../nn/network.ts"
import type { TrainingState } from "./resident-step.ts"

/** Weights, statistics and optimiser state, and what the trainer needs to know to go on from there. */
export interface Checkpoint<Meta> {
  readonly state: TrainingState
  readonly meta: Meta
}

const metaFile = "checkpoint.json"
const weightsPattern = /^weights-\d+\.safetensors$/
const optimizerPrefix = "optimizer/"

interface CheckpointFile<Meta> {
  readonly format: 1
  readonly weights: string
  readonly meta: Meta
}

/**
 * Saves a checkpoint in a folder in place of the one before. The tensors are written under a new name first and the
 * small JSON file that names them last, so a kill at any moment leaves the old checkpoint or the new one, whole.
 *
 * @throws LearnlossError `FILE_NOT_WRITTEN`
 */
export function saveCheckpoint<Meta>(folder: string, { state, meta }: Checkpoint<Meta>): void {
  const previous = existsSync(folder) ? readdirSync(folder).filter((name) => weightsPattern.test(name)) : []
  const number = Math.max(0, ...previous.map((name) => Number.parseInt(name.slice("weights-".length), 10))) + 1
  const weights = `weights-${number}.safetensors`
  const tensors = new Map<string, Tensor>(state.parameters)
  for (const [name, tensor] of state.optimizer) tensors.set(optimizerPrefix + name, tensor)
  writeSafetensors(join(folder, weights), tensors)
  const file: CheckpointFile<Meta> = { format: 1, weights, meta }
  atomicWrite(join(folder, metaFile), `${JSON.stringify(file, null, 2)}\n`)
  for (const name of previous) rmSync(join(folder, name), { force: true })
}

/**
 * Reads the checkpoint of a folder; undefined where there is none.
 *
 * @throws LearnlossError `CHECKPOINT_BROKEN` or `SAFETENSORS_BROKEN`
 */
export function loadCheckpoint<Meta>(folder: string): Checkpoint<Meta> | undefined {
  const path = join(folder, metaFile)
  if (!existsSync(path)) return undefined
  let file: CheckpointFile<Meta>
  try {
    file = JSON.parse(readFileSync(path, "utf8"))
    if (file.format !== 1 || !weightsPattern.test(file.weights)) throw new Error("another format")
  } catch (error) {
    throw new LearnlossError("CHECKPOINT_BROKEN", {
      where: path,
      expected: "a checkpoint written by learnloss",
      got: error instanceof Error ? error.message : String(error),
      fix: "Delete this checkpoint's folder to train the cycle again.",
    })
  }
  const parameters = new Map<string, Tensor>()
  const optimizer = new Map<string, Tensor>()
  for (const [name, tensor] of readSafetensors(join(folder, file.weights))) {
    if (name.startsWith(optimizerPrefix)) optimizer.set(name.slice(optimizerPrefix.length), tensor)
    else parameters.set(name, tensor)
  }
  return { state: { parameters, optimizer }, meta: file.meta }
}

/**
 * Makes sure that weights belong to a network: the same names, the same shapes.
 *
 * @throws LearnlossError `CHECKPOINT_OF_ANOTHER_MODEL` naming the first tensor that differs
 */
export function requireWeightsOf(specs: readonly ParameterSpec[], weights: TensorMap, where: string): void {
  const refuse = (expected: string, got: string) =>
    new LearnlossError("CHECKPOINT_OF_ANOTHER_MODEL", {
      where,
      expected,
      got,
      fix: "Use the model settings that this checkpoint was trained with, or another folder.",
    })
  const names = new Set(specs.map(({ name }) => name))
  const extra = [...weights.keys()].find((name) => !names.has(name))
  if (extra !== undefined)
    throw refuse(`the ${specs.length} tensors of this model`, `a tensor ${extra} that it does not have`)
  for (const { name, shape } of specs) {
    const tensor = weights.get(name)
    if (tensor === undefined) throw refuse(`a tensor ${name} [${shape.join(", ")}]`, "none of that name")
    if (tensor.shape.join() !== shape.join())
      throw refuse(`${name} [${shape.join(", ")}]`, `[${tensor.shape.join(", ")}]`)
  }
}
