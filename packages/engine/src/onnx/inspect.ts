import { LearnlossError } from "../errors.ts"
import type { Shape } from "../graph/tensor.ts"
import { sizeOf } from "../graph/tensor.ts"
import { type FinalSoftmax, findEmbedding, findFinalSoftmax } from "./endings.ts"
import { countFlops } from "./flops.ts"
import { foldedNorm, foldedNormRecipe } from "./folded-norm.ts"
import { foldRules } from "./import/fold/index.ts"
import { type StoredParameter, storedParameters } from "./import/parameters.ts"
import { importRules } from "./import/rules/index.ts"
import type { OnnxModel, OnnxValueInfo } from "./model.ts"
import { foreignOps, type ProbedShapes, type ProbedValue, type ProbeOptions, probeShapes } from "./probe.ts"
import { type SuggestedTap, suggestTaps } from "./taps.ts"
import { elementBytes } from "./tensor-data.ts"
import { findObstacles, listOps, type Obstacle, type OpRules, type OpUse } from "./trainability.ts"

/** What a file is, and what learnloss can do with it. */
export interface ModelInspection {
  readonly producer: { readonly name: string; readonly version: string }
  readonly opset: number
  readonly digest: string
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly (OnnxValueInfo & { readonly probed: Shape | undefined })[]
  /** `"fixed"` for a file that computes with `batchSize` samples only, `"unknown"` for one that could not be run. */
  readonly batch: "dynamic" | "fixed" | "unknown"
  readonly batchSize: number | undefined
  /** Why shapes are unknown: the file has custom ops. What needs them (cost, taps) is left out then. */
  readonly shapesUnknown: string | undefined
  readonly parameters: {
    readonly count: number
    readonly bytes: number
    readonly tensors: readonly {
      readonly name: string
      readonly shape: Shape
      readonly kind: StoredParameter["kind"]
    }[]
  }
  /** Of one sample, two for each multiplication with its addition; `countedOps` only. */
  readonly flops: number | undefined
  readonly ops: readonly OpUse[]
  /** What keeps parameters from being trained, as if all values were floats where shapes are unknown; none where the whole network can be trained. */
  readonly obstacles: readonly Obstacle[]
  /** Shapes are for one sample: the batch is left out. */
  readonly taps: readonly SuggestedTap[]
  readonly embedding: { readonly name: string; readonly shape: Shape | undefined }
  readonly finalSoftmax: FinalSoftmax | undefined
  readonly foldedNorm: "yes" | "maybe" | "no"
  /** How to export a better file, where there is one. */
  readonly recipe: string | undefined
}

export interface InspectOptions extends ProbeOptions {
  /** What the network may be trained through; learnloss's own rules where it is left out. */
  readonly rules?: OpRules
}

/**
 * Looks into a file: its size and cost, what may be trained, and what to tap. Runs it once or twice on zeros; a file with
 * custom ops, which ONNX Runtime cannot run, is told about as far as that goes.
 *
 * @throws LearnlossError `ONNX_SHAPE_OPEN`, `ONNX_RUN`, `ONNX_DTYPE` as `probeShapes`
 */
export async function inspectOnnxModel(model: OnnxModel, options: InspectOptions = {}): Promise<ModelInspection> {
  const { rules = { importRules, foldRules } } = options
  const { shapes, failure } = await probeOrTellWhy(model, options)
  const known = shapes ?? new Map<string, ProbedValue>()
  const stored = [...storedParameters(model).values()]
  const parameters = new Set(stored.filter(({ kind }) => kind === "parameter").map(({ name }) => name))
  const embedding = findEmbedding(model)
  const folded = foldedNorm(model)
  return {
    producer: model.producer,
    opset: model.opset,
    digest: model.digest,
    inputs: model.inputs,
    outputs: model.outputs.map((output) => ({ ...output, probed: known.get(output.name)?.shape })),
    batch: shapes?.batch ?? "unknown",
    batchSize: shapes?.batchSize,
    shapesUnknown: failure,
    parameters: {
      count: stored
        .filter(({ kind }) => kind === "parameter")
        .reduce((sum, { tensor }) => sum + sizeOf(tensor.shape), 0),
      bytes: stored.reduce((sum, { tensor }) => sum + sizeOf(tensor.shape) * (elementBytes[tensor.dataType] ?? 0), 0),
      tensors: stored.map(({ name, tensor, kind }) => ({ name, shape: tensor.shape, kind })),
    },
    flops: shapes === undefined ? undefined : countFlops(model, shapes, shapes.batchSize),
    ops: listOps(model, rules),
    obstacles: findObstacles(model, known, parameters, rules),
    taps: suggestTaps(model, known).map((tap) => ({ ...tap, shape: tap.shape.slice(1) })),
    embedding: { name: embedding, shape: sampleShape(known, embedding) },
    finalSoftmax: findFinalSoftmax(model),
    foldedNorm: folded,
    recipe: folded === "yes" ? foldedNormRecipe : undefined,
  }
}

async function probeOrTellWhy(
  model: OnnxModel,
  options: ProbeOptions,
): Promise<{ readonly shapes: ProbedShapes | undefined; readonly failure: string | undefined }> {
  try {
    return { shapes: await probeShapes(model, options), failure: undefined }
  } catch (error) {
    const isCustom = error instanceof LearnlossError && error.code === "ONNX_RUN" && foreignOps(model).length > 0
    if (!isCustom) throw error
    return { shapes: undefined, failure: error.message }
  }
}

/** A value's shape without its batch axis. */
function sampleShape(shapes: ReadonlyMap<string, ProbedValue>, name: string): Shape | undefined {
  const value = shapes.get(name)
  return value?.shape.filter((_, axis) => axis !== value.batchAxis)
}
