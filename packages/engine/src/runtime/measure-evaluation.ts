import { createHash } from "node:crypto"
import { encodeModel } from "../graph/codec.ts"
import { nodesNeededFor, type Value } from "../graph/graph.ts"
import { sizeOf, zeroTensor } from "../graph/tensor.ts"
import { productsOf } from "../lowering/lower.ts"
import { fixedPlan, type LoweringPlan } from "../lowering/plan.ts"
import { productKey } from "../lowering/product.ts"
import { lowerEvaluation } from "./evaluation.ts"
import type { BuiltNetwork } from "./export-model.ts"
import { type MeasureOptions, measurePlan } from "./measure-plan.ts"
import type { Measurement } from "./measurements.ts"
import { bind, createSession, type SessionOptions } from "./ort.ts"

/** How a network is evaluated. */
export interface EvaluationChoice {
  /** Samples at once. */
  readonly batch: number
  readonly plan: LoweringPlan
}

/** Milliseconds of one evaluation; tests put in a clock of their own. */
export type TimeEvaluation = (network: BuiltNetwork, plan: LoweringPlan, options: SessionOptions) => Promise<number>

export interface MeasureEvaluationOptions extends MeasureOptions {
  /** Samples at once, where that is settled. */
  readonly batch?: number
  readonly timeEvaluation?: TimeEvaluation
}

const batches = [32, 64, 128, 256] as const
/** Bytes that the values of an evaluation may take at once, by their shapes; less than a training step takes. */
const mostBytes = 2 ** 29
/** Beyond this a run's fixed costs no longer show, so larger batches are not tried. */
const longRunMs = 250
/** A larger batch must save this share of the time, since it also takes memory and is filled up at the end. */
const leastGain = 0.02

/**
 * Finds out how many samples are evaluated at once, then how the convolutions of that batch are computed fastest. A plan
 * must also win as a whole: alone, a convolution does not show that a plain one leaves its result in the blocked layout
 * for the next.
 *
 * @param build adds the network for a batch to a graph, with weights of any numbers inside
 */
export async function measureEvaluation(
  build: (batch: number) => BuiltNetwork,
  options: MeasureEvaluationOptions,
): Promise<EvaluationChoice> {
  const { measurements, timeEvaluation: time = timeOnce } = options
  const batch = options.batch ?? (await chooseBatch(build, options))
  const network = build(batch)
  const measured = await measurePlan(network.graph, network.outputs, options)
  if (Object.values(measured).every((name) => name === "plain")) return { batch, plan: measured }
  const plain = Object.fromEntries(
    productsOf(network.graph, network.outputs).map((each) => [productKey(each), "plain"]),
  )
  const name = `evaluation ${batch} ${digestOf(network)} by ${digest(JSON.stringify(measured))}`
  const known = measurements?.find(name, ["plain", "plan"])
  if (known !== undefined) return { batch, plan: known.chosen === "plan" ? measured : plain }
  const milliseconds = { plain: await time(network, fixedPlan, options), plan: await time(network, measured, options) }
  const chosen = milliseconds.plan < milliseconds.plain ? "plan" : "plain"
  measurements?.keep(name, { chosen, milliseconds })
  measurements?.save()
  return { batch, plan: chosen === "plan" ? measured : plain }
}

/** Samples to evaluate at once: the fewest with which one takes hardly longer than with the best of the larger batches. */
async function chooseBatch(build: (batch: number) => BuiltNetwork, options: MeasureEvaluationOptions): Promise<number> {
  const { measurements, timeEvaluation: time = timeOnce } = options
  const [smallest] = batches
  const smallNetwork = build(smallest)
  const bytesEach = liveBytes(smallNetwork) / smallest
  const fitting = batches.filter((batch) => batch === smallest || batch * bytesEach <= mostBytes)
  const name = `evaluation batch ${digestOf(smallNetwork)}`
  const known = measurements?.find(name, fitting.map(String))
  if (known !== undefined) return Number(known.chosen)
  const milliseconds: Record<string, number | null> = Object.fromEntries(fitting.map((batch) => [batch, null]))
  let chosen: number = smallest
  let best = Number.POSITIVE_INFINITY
  for (const batch of fitting) {
    const took = await time(batch === smallest ? smallNetwork : build(batch), fixedPlan, options)
    milliseconds[batch] = Math.round(took * 1000) / 1000
    if (took / batch < best * (1 - leastGain)) {
      best = took / batch
      chosen = batch
    } else break
    if (took > longRunMs) break
  }
  measurements?.keep(name, { chosen: String(chosen), milliseconds } satisfies Measurement)
  measurements?.save()
  return chosen
}

/** Shortest of a few runs on zeros; a long one says enough by itself. */
const timeOnce: TimeEvaluation = async (network, plan, options) => {
  const lowered = lowerEvaluation(network.graph, network.outputs, plan, options.device)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), options)
  try {
    const zeros = network.graph.inputs.map(({ name, dtype, shape }) => [name, bind(zeroTensor(dtype, shape))] as const)
    const results = Object.entries(network.outputs).map(
      ([name, { dtype, shape }]) => [name, bind(zeroTensor(dtype, shape))] as const,
    )
    const [feeds, outputs] = [Object.fromEntries(zeros), Object.fromEntries(results)]
    await session.runInto(feeds, outputs)
    let shortest = Number.POSITIVE_INFINITY
    for (let run = 0, spent = 0; run < 5 && spent < longRunMs; run++) {
      const start = performance.now()
      await session.runInto(feeds, outputs)
      const took = performance.now() - start
      spent += took
      shortest = Math.min(shortest, took)
    }
    return shortest
  } finally {
    await session.release()
  }
}

/** The most bytes that values take at one time when each is kept from where it is made to where it is last read. */
export function liveBytes({ graph, outputs }: BuiltNetwork): number {
  const roots = new Set(Object.values(outputs))
  const nodes = nodesNeededFor(graph, [...roots])
  const lastRead = new Map<Value, number>()
  for (const [place, { inputs }] of nodes.entries()) for (const value of inputs) lastRead.set(value, place)
  let live = 0
  let most = 0
  for (const [place, { inputs, outputs: made }] of nodes.entries()) {
    for (const value of made) live += 4 * sizeOf(value.shape)
    most = Math.max(most, live)
    for (const value of new Set(inputs)) {
      if (lastRead.get(value) === place && graph.producerOf(value) !== undefined && !roots.has(value))
        live -= 4 * sizeOf(value.shape)
    }
  }
  return most
}

/** Names what a network computes, whatever its weights. */
function digestOf({ graph, outputs }: BuiltNetwork): string {
  const places = new Map<Value, number>()
  const place = (value: Value) => {
    const known = places.get(value) ?? places.size
    places.set(value, known)
    return `${known}:${value.shape.join("x")}`
  }
  const lines = nodesNeededFor(graph, Object.values(outputs)).map(
    ({ op, inputs, attributes, outputs: made }) =>
      `${op} ${inputs.map(place).join()} ${JSON.stringify(attributes)} ${made.map(place).join()}`,
  )
  return digest(lines.join("\n"))
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12)
}
