import {
  compileEvaluation,
  cosineSchedule,
  createNetworkBuilder,
  type Evaluation,
  Graph,
  op,
  type ParameterSource,
  sgd,
  type TensorMap,
  type TrainingSpec,
} from "@learnloss/engine"
import type { FeatureBlock } from "../frozen/frozen-network.ts"
import { lossModule } from "../loss-prediction/module.ts"
import { objectives } from "../loss-prediction/objectives.ts"

/** How the module on a frozen network is trained. */
export interface FrozenTraining {
  /** Outputs of each block's fully connected layer. */
  readonly width: number
  readonly margin: number
  readonly learningRate: number
  readonly momentum: number
  readonly weightDecay: number
}

export const featuresInput = "features"
export const targetInput = "target loss"
const progressInput = "progress"

/** What a module is built for. */
export interface ModuleShape {
  /** Rows that are fed at once. */
  readonly batch: number
  /** Width of a row; columns that are in no block are not looked at. */
  readonly columns: number
  readonly blocks: readonly FeatureBlock[]
}

function buildModule(source: ParameterSource, { batch, columns, blocks }: ModuleShape, width: number) {
  const graph = new Graph()
  const features = graph.input(featuresInput, "float32", [batch, columns])
  const partsOf = (kind: FeatureBlock["kind"]) =>
    blocks
      .filter((block) => block.kind === kind)
      .map((block) => op.slice(features, 1, block.offset, block.offset + block.width))
  const outputs = partsOf("outputs")
  const b = createNetworkBuilder(graph, source)
  const module = lossModule(b.scope("lossModule"), partsOf("tap"), {
    width,
    gradient: { kind: "stopped" },
    ...(outputs.length === 0 ? {} : { outputStatistics: op.concat(outputs, 1) }),
  })
  return { b, ...module }
}

/** The training graph of the module alone, on features [B, F] and target losses [B]. */
export function buildModuleTraining(shape: ModuleShape, training: FrozenTraining): TrainingSpec {
  const { b, predictedLoss } = buildModule("inputs", shape, training.width)
  const targetLoss = b.graph.input(targetInput, "float32", [shape.batch])
  return {
    graph: b.graph,
    network: b,
    // The network is frozen, so a batch costs little and its pairs cost less; all of them make the gradient far steadier.
    loss: objectives.ranking.loss(predictedLoss, targetLoss, { margin: training.margin, pairs: "all" }),
    progress: b.graph.input(progressInput, "float32", []),
    observed: {},
    optimizer: sgd(training),
    learningRate: training.learningRate,
    schedule: cosineSchedule,
  }
}

/** Compiles the trained module: `predictedLoss` [B] and `embedding` [B, E] of features [B, F]. */
export function compileModule(
  shape: ModuleShape,
  { width, weights, threads }: { readonly width: number; readonly weights: TensorMap; readonly threads: number },
): Promise<Evaluation> {
  const { b, predictedLoss, embedding } = buildModule(weights, shape, width)
  return compileEvaluation(b.graph, { predictedLoss, embedding }, { threads })
}
