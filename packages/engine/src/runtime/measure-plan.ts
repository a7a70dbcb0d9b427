import { LearnlossError } from "../errors.ts"
import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { productsOf } from "../lowering/lower.ts"
import { type LoweringPlan, lowerings, possibleLowerings } from "../lowering/plan.ts"
import { type ConvProduct, type Lowering, productKey } from "../lowering/product.ts"
import { createRng } from "../random/rng.ts"
import { probeChannelBlock } from "./channel-block.ts"
import { createSession, type Session, type SessionOptions } from "./ort.ts"

/** Multiply-adds of a timed trial: enough to outlast noise, small enough that a whole network is measured in seconds. */
const trialFlops = 1e9
const timedRuns = 3
const largestBlock = 16
/** A way of computing a product may round differently, but must not be wrong. */
const largestDifference = 1e-3

/** Times every way to compute each convolution product that the outputs need on a device and names the fastest. */
export async function measurePlan(graph: Graph, outputs: NamedOutputs, options: SessionOptions): Promise<LoweringPlan> {
  const channelBlock = await channelBlockOf(options)
  const plan: Record<string, string> = {}
  for (const product of productsOf(graph, outputs)) {
    const candidates = possibleLowerings(product, channelBlock)
    plan[productKey(product)] = (await fastest(shrunk(product), candidates, options)).name
  }
  return plan
}

/**
 * Makes sure that a device can run what a plan chose, which may have been measured on another one.
 *
 * @throws LearnlossError `LOWERING_UNAVAILABLE`
 */
export async function requireRunnablePlan(
  plan: LoweringPlan,
  options: Pick<SessionOptions, "device"> = {},
): Promise<void> {
  const names = new Set(Object.values(plan))
  const channelBlock = await channelBlockOf(options)
  const { device = "cpu" } = options
  for (const lowering of Object.values(lowerings).flat()) {
    if (!names.has(lowering.name) || lowering.channelBlock === undefined || lowering.channelBlock === channelBlock)
      continue
    throw new LearnlossError("LOWERING_UNAVAILABLE", {
      where: "engine.lowerings",
      expected:
        device === "cpu"
          ? `ways to compute that this processor has (blocks of ${channelBlock ?? "no"} channels)`
          : `ways to compute that ${device} has (no blocks of channels)`,
      got: `${lowering.name}, chosen on another ${device === "cpu" ? "processor" : "device"}`,
      fix: "Resume the run on a machine of that kind, or start it anew here.",
    })
  }
}

/** Only the processor has the blocked layout. */
async function channelBlockOf({ device = "cpu" }: Pick<SessionOptions, "device">): Promise<number | undefined> {
  return device === "cpu" ? await probeChannelBlock() : undefined
}

/** The same product on part of the batch. */
function shrunk(product: ConvProduct): ConvProduct {
  const [n] = product.inputShape as [number]
  const flops = 2 * sizeOf(product.outputShape) * sizeOf(product.weightShape.slice(1))
  // Whole blocks, since some ways put the batch in the place of the channels.
  const count = Math.min(n, Math.max(1, Math.round((n * trialFlops) / flops / largestBlock)) * largestBlock)
  return {
    ...product,
    inputShape: [count, ...product.inputShape.slice(1)],
    outputShape: [count, ...product.outputShape.slice(1)],
  }
}

async function fastest(
  product: ConvProduct,
  candidates: readonly Lowering[],
  options: SessionOptions,
): Promise<Lowering> {
  const [first] = candidates
  if (candidates.length < 2) return first as Lowering
  const feeds = randomFactors(product)
  let best = { lowering: first as Lowering, milliseconds: Number.POSITIVE_INFINITY }
  let reference: Float32Array | undefined
  for (const lowering of candidates) {
    const trial = await time(product, lowering, feeds, options)
    if (trial === undefined) continue
    reference ??= trial.result
    if (relativeDifference(trial.result, reference) > largestDifference) continue
    if (trial.milliseconds < best.milliseconds) best = { lowering, milliseconds: trial.milliseconds }
  }
  return best.lowering
}

/** Shortest of a few runs; undefined where this processor or version of ONNX Runtime cannot run it. */
async function time(
  product: ConvProduct,
  lowering: Lowering,
  feeds: Readonly<Record<string, Tensor>>,
  options: SessionOptions,
) {
  let session: Session | undefined
  try {
    const graph = new Graph()
    const [a, b] = Object.entries(feeds).map(([name, { shape }]) => graph.input(name, "float32", shape)) as [
      Value,
      Value,
    ]
    session = await createSession(encodeModel(graph, { result: lowering.build(product, [a, b]) }), options)
    let outcome = await session.run(feeds)
    let milliseconds = Number.POSITIVE_INFINITY
    for (let run = 0; run < timedRuns; run++) {
      const start = performance.now()
      outcome = await session.run(feeds)
      milliseconds = Math.min(milliseconds, performance.now() - start)
    }
    return { milliseconds, result: outcome.result?.data as Float32Array }
  } catch {
    return undefined
  } finally {
    await session?.release()
  }
}

function randomFactors({ kind, inputShape, weightShape, outputShape }: ConvProduct): Readonly<Record<string, Tensor>> {
  const shapes = {
    forward: { x: inputShape, w: weightShape },
    "input-gradient": { w: weightShape, dy: outputShape },
    "weight-gradient": { x: inputShape, dy: outputShape },
    inference: { x: inputShape, w: weightShape },
  }[kind] as Readonly<Record<string, Shape>>
  const rng = createRng("measure")
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      floatTensor(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => rng.float() - 0.5),
      ),
    ]),
  )
}
