import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import type { Graph } from "../graph/graph.ts"
import type { Shape, Tensor } from "../graph/tensor.ts"
import type { Device } from "../lowering/device.ts"
import { foldNormalization } from "../lowering/fold-normalization.ts"
import { type LoweredGraph, lower } from "../lowering/lower.ts"
import { fixedPlan, type LoweringPlan } from "../lowering/plan.ts"
import { openSession } from "./compute-thread.ts"
import type { SessionOptions } from "./ort.ts"
import type { Placement } from "./placement.ts"

/** A compiled graph without training, its weights inside. */
export interface Evaluation {
  /**
   * Runs one batch; the graph's batch size is fixed. Batches may be handed over before the last one is done.
   *
   * @param onFinished is told when the batch was done, in milliseconds of `performance.timeOrigin + performance.now()`
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    onFinished?: (finishedAt: number) => void,
  ): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

/**
 * Compiles a graph whose weights are constants, with batch normalisation folded into its convolutions, whichever way a plan
 * computes them. Without a plan they stay plain, and ONNX Runtime blocks their layout by itself.
 *
 * @throws LearnlossError `UNKNOWN_LOWERING`, `MODEL_NOT_COMPILED`
 */
export async function compileEvaluation(
  graph: Graph,
  outputs: NamedOutputs,
  options: SessionOptions,
  plan: LoweringPlan = fixedPlan,
): Promise<Evaluation> {
  const lowered = lowerEvaluation(graph, outputs, plan, options.device)
  return await openSession(encodeModel(lowered.graph, lowered.outputs), options)
}

/**
 * Lowers a graph whose weights are constants, after folding batch normalisation into convolutions: ONNX Runtime folds it
 * into plain ones alone.
 *
 * @throws LearnlossError `UNKNOWN_LOWERING`
 */
export function lowerEvaluation(
  graph: Graph,
  outputs: NamedOutputs,
  plan: LoweringPlan,
  device: Device = "cpu",
): LoweredGraph {
  const folded = foldNormalization(graph, outputs)
  return lower(folded.graph, folded.outputs, plan, [], device)
}

/** What a model from elsewhere may be fed with: images often enter as bytes. */
export type ModelFeed = Tensor | { readonly dtype: "uint8"; readonly shape: Shape; readonly data: Uint8Array }

/** A model from elsewhere, compiled as it is. */
export interface CompiledModel {
  /** Runs the model; feeds are copied before this returns. */
  run(feeds: Readonly<Record<string, ModelFeed>>): Promise<Record<string, Tensor>>
  /** Which nodes the device computes; null unless the options asked and the model has run. */
  placement(): Promise<Placement | null>
  release(): Promise<void>
}

/**
 * Compiles the bytes of an ONNX model, such as `cutModel` gives.
 *
 * @throws LearnlossError `MODEL_NOT_COMPILED` with ONNX Runtime's reason
 */
export async function compileModel(model: Uint8Array, options: SessionOptions): Promise<CompiledModel> {
  const session = await openSession(model, options)
  return {
    // Graphs of our own know no bytes, ONNX Runtime does.
    run: (feeds) => session.run(feeds as Readonly<Record<string, Tensor>>),
    placement: () => session.placement(),
    release: () => session.release(),
  }
}
