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

/** A compiled network that is timed. */
export interface EvaluationTrial {
  /** Evaluates once and says how many milliseconds it took. */
  run(): Promise<number>
  release(): Promise<void>
}

/** Compiles a network to be timed; tests put in what takes as long as they say. */
export type OpenEvaluation = (
  network: BuiltNetwork,
  plan: LoweringPlan,
  options: SessionOptions,
) => Promise<EvaluationTrial>

export interface MeasureEvaluationOptions extends MeasureOptions {
  /** Samples at once, where that is settled. */
  readonly batch?: number
  readonly openEvaluation?: OpenEvaluation
}

const batches = [32, 64, 128, 256] as const
/** Bytes that the values of an evaluation may take at once, by their shapes; less than a training step takes. */
const mostBytes = 2 ** 29
/** Beyond this a run's fixed costs no longer show, so larger batches are not tried. */
const longRunMs = 250
/** Rounds of a race: a few of long runs, more of short ones. */
const fewestRounds = 3
const mostRounds = 20
const roundsMs = 250
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
  const { measurements } = options
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
  const [plainMs, planMs] = await race(
    [
      [network, fixedPlan],
      [network, measured],
    ],
    options,
  )
  const milliseconds = { plain: plainMs as number, plan: planMs as number }
  const chosen = milliseconds.plan < milliseconds.plain ? "plan" : "plain"
  measurements?.keep(name, { chosen, milliseconds })
  measurements?.save()
  return { batch, plan: chosen === "plan" ? measured : plain }
}

/** Samples to evaluate at once: the fewest with which one takes hardly longer than with the best of the larger batches. */
async function chooseBatch(build: (batch: number) => BuiltNetwork, options: MeasureEvaluationOptions): Promise<number> {
  const { measurements } = options
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
    const [took] = (await race([[batch === smallest ? smallNetwork : build(batch), fixedPlan]], options)) as [number]
    milliseconds[batch] = took
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

/** Shortest run of each of several networks, which run in turn, so that a busy moment of the machine meets all of them. */
async function race(
  contenders: readonly (readonly [BuiltNetwork, LoweringPlan])[],
  { openEvaluation = openTrial, threads, device }: MeasureEvaluationOptions,
): Promise<number[]> {
  const trials: EvaluationTrial[] = []
  try {
    for (const [network, plan] of contenders)
      trials.push(await openEvaluation(network, plan, { threads, ...(device && { device }) }))
    // Finds the memory.
    for (const trial of trials) await trial.run()
    const shortest = trials.map(() => Number.POSITIVE_INFINITY)
    for (let round = 0, spent = 0; round < mostRounds && (round < fewestRounds || spent < roundsMs); round++) {
      for (const [index, trial] of trials.entries()) {
        const took = await trial.run()
        spent += took
        shortest[index] = Math.min(shortest[index] as number, took)
      }
    }
    return shortest.map((each) => Math.round(each * 1000) / 1000)
  } finally {
    for (const trial of trials) await trial.release()
  }
}

const openTrial: OpenEvaluation = async (network, plan, options) => {
  const lowered = lowerEvaluation(network.graph, network.outputs, plan, options.device)
  const model = encodeModel(lowered.graph, lowered.outputs)
  const session = await createSession(model, { ...options, restsBetweenRuns: true })
  const zeros = (values: readonly (readonly [string, Value])[]) =>
    Object.fromEntries(values.map(([name, { dtype, shape }]) => [name, bind(zeroTensor(dtype, shape))]))
  const feeds = zeros(network.graph.inputs.map((input) => [input.name, input]))
  const outputs = zeros(Object.entries(network.outputs))
  return {
    async run() {
      const start = performance.now()
      await session.runInto(feeds, outputs)
      return performance.now() - start
    },
    release: () => session.release(),
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
