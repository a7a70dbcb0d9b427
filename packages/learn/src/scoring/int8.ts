import {
  buildRangeGraph,
  countQuantized,
  createRng,
  type Device,
  initializeParameters,
  LearnlossError,
  type LoweredGraph,
  type ParameterSpec,
  probeWeightLimit,
  quantize,
  type Rng,
  rangesFrom,
} from "@learnloss/engine"
import { type EvaluateOptions, evaluateGraph } from "../training/evaluate.ts"
import { buildEvaluation, type Learner } from "../training/learner.ts"

/** Labelled images whose values decide the ranges. */
const calibrationImages = 256

/** How many convolutions and products of a network are computed on eight bits, and how many are not. */
export type Int8Counts = ReturnType<typeof countQuantized>

/** How a network is evaluated on eight bits. */
export interface Int8Evaluation {
  readonly counts: Int8Counts
  readonly rewrite: (built: LoweredGraph) => LoweredGraph
}

/**
 * Measures in `float32`, on some labelled images, the range of each value that is to be quantised.
 *
 * @param options `positions` are those of the labelled samples, `wanted` what will be evaluated
 * @param rng decides which of them are taken
 * @throws LearnlossError `INTERRUPTED`, `INT8_NOTHING`
 */
export async function calibrateInt8(
  options: Omit<EvaluateOptions, "onProgress" | "rewrite">,
  rng: Rng,
): Promise<Int8Evaluation> {
  const positions = rng.child("calibration").shuffle(options.positions).slice(0, calibrationImages)
  let names: readonly string[] = []
  let counts: Int8Counts = { quantizedProducts: 0, floatProducts: 0 }
  const measured = await evaluateGraph({
    ...options,
    positions,
    rewrite: (built) => {
      counts = requireQuantizable(built)
      const { graph, ranges, names: found } = buildRangeGraph(built.graph, built.outputs)
      names = found
      return { graph, outputs: { ranges } }
    },
    onProgress: () => {},
  })
  const ranges = rangesFrom(names, measured.ranges?.data ?? new Float32Array())
  const weightLimit = await probeWeightLimit()
  return { counts, rewrite: ({ graph, outputs }) => quantize(graph, outputs, ranges, weightLimit) }
}

/**
 * Counts what of an evaluation graph would be computed on eight bits.
 *
 * @throws LearnlossError `INT8_NOTHING` where that is nothing
 */
export function requireQuantizable({ graph, outputs }: LoweredGraph): Int8Counts {
  const counts = countQuantized(graph, outputs)
  if (counts.quantizedProducts > 0) return counts
  throw new LearnlossError("INT8_NOTHING", {
    where: "engine.scoringPrecision: int8",
    expected: "a network with convolutions of eight channels or more, or with large products of known weights",
    got: `none, and ${counts.floatProducts} products that stay in float32`,
    fix: "Set engine.scoringPrecision to float32.",
  })
}

/**
 * Says how much of a network will be scored on eight bits, before it is trained.
 *
 * @throws LearnlossError `INT8_NOTHING`, `INT8_DEVICE`
 */
export function describeInt8(learner: Learner, specs: readonly ParameterSpec[], device: Device): string {
  if (device !== "cpu") {
    throw new LearnlossError("INT8_DEVICE", {
      where: "engine.scoringPrecision: int8",
      expected: "device cpu, which computes on eight bits",
      got: device,
      fix: "Set engine.scoringPrecision to float32, or engine.device to cpu.",
    })
  }
  const weights = initializeParameters(specs, createRng("int8"))
  const { quantizedProducts, floatProducts } = requireQuantizable(buildEvaluation(learner, 2, weights, ["uncertainty"]))
  const left = `${floatProducts} ${floatProducts === 1 ? "stays" : "stay"} in float32`
  return `Candidates are scored in int8: ${quantizedProducts} convolutions and large products; ${left}, as do all metrics.`
}
