import { LearnlossError } from "../errors.ts"
import type { NamedOutputs } from "../graph/codec.ts"
import type { Graph } from "../graph/graph.ts"
import { productsOf } from "../lowering/lower.ts"
import { type LoweringPlan, lowerings, possibleLowerings } from "../lowering/plan.ts"
import { type ConvProduct, type Lowering, productKey } from "../lowering/product.ts"
import { probeChannelBlock } from "./channel-block.ts"
import { chooseLowering, type OpenTrial } from "./choose-lowering.ts"
import { Hopeless } from "./hopeless.ts"
import type { Measurements } from "./measurements.ts"
import type { SessionOptions } from "./ort.ts"
import { createTrials } from "./trials.ts"

/** How a plan is measured. */
export interface MeasureOptions extends SessionOptions {
  /** What was measured before, and where this is kept; without it everything is measured each time. */
  readonly measurements?: Measurements
  /** Told before each product that has to be measured, and at the end. */
  readonly onProgress?: (done: number, total: number) => void
  /** Compiles lowerings of a product to be timed; tests put in what takes as long as they say. */
  readonly trials?: (product: ConvProduct, options: SessionOptions) => OpenTrial
}

/**
 * Names the fastest way to compute each convolution product that the outputs need, timing those that were not timed on
 * this machine before.
 */
export async function measurePlan(graph: Graph, outputs: NamedOutputs, options: MeasureOptions): Promise<LoweringPlan> {
  const { measurements, onProgress, trials = createTrials, ...session } = options
  const channelBlock = await channelBlockOf(options)
  const plan: Record<string, string> = {}
  const hopeless = new Hopeless()
  const open: { key: string; product: ConvProduct; candidates: readonly Lowering[] }[] = []
  for (const product of productsOf(graph, outputs)) {
    const key = productKey(product)
    const candidates = possibleLowerings(product, channelBlock)
    const names = candidates.map(({ name }) => name)
    const known = measurements?.find(key, names)
    plan[key] = known?.chosen ?? (names[0] as string)
    if (known !== undefined) hopeless.learn(product, known)
    else if (names.length > 1) open.push({ key, product, candidates })
  }
  try {
    for (const [index, { key, product, candidates }] of open.entries()) {
      onProgress?.(index, open.length)
      const timed = await chooseLowering(hopeless.without(product, candidates), trials(product, session))
      hopeless.learn(product, timed)
      const untimed = Object.fromEntries(candidates.map(({ name }) => [name, null]))
      const measurement = { ...timed, milliseconds: { ...untimed, ...timed.milliseconds } }
      measurements?.keep(key, measurement)
      plan[key] = measurement.chosen
    }
    if (open.length > 0) onProgress?.(open.length, open.length)
  } finally {
    measurements?.save()
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
