import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import type { Graph } from "../graph/graph.ts"
import type { Tensor } from "../graph/tensor.ts"
import { lower } from "../lowering/lower.ts"
import { fixedPlan } from "../lowering/plan.ts"
import { openSession } from "./compute-thread.ts"
import type { SessionOptions } from "./ort.ts"

/** A compiled graph without training, its weights inside. */
export interface Evaluation {
  /** Runs one batch; the graph's batch size is fixed. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

/**
 * Compiles a graph whose weights are constants. Convolutions stay plain: with constant weights ONNX Runtime folds
 * batch normalisation into them and blocks their layout by itself.
 */
export async function compileEvaluation(
  graph: Graph,
  outputs: NamedOutputs,
  options: SessionOptions,
): Promise<Evaluation> {
  const lowered = lower(graph, outputs, fixedPlan)
  return await openSession(encodeModel(lowered.graph, lowered.outputs), options)
}
