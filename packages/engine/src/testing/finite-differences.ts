import { gradients } from "../autodiff/gradients.ts"
import { InternalError } from "../errors.ts"
import { mul, reduceSum } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { lower } from "../lowering/lower.ts"
import { fixedPlan, type LoweringPlan } from "../lowering/plan.ts"
import type { Rng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"

/** One differentiable computation with the inputs that it is checked at. */
export interface GradientCase {
  readonly inputs: readonly { readonly shape: Shape; readonly draw?: (rng: Rng) => number }[]
  /** `float32` outputs of any shape. */
  readonly build: (...inputs: Value[]) => Value | readonly Value[]
  /** Step of the differences; smaller near kinks. */
  readonly step?: number
  readonly plan?: LoweringPlan
}

/** Difference of a computed gradient from the numeric one, largest over largest, for each input. */
export interface GradientCheck {
  readonly differences: readonly number[]
  readonly analytic: readonly Float32Array[]
}

/**
 * Compares the gradients of a randomly weighted sum of the outputs with fourth-order central differences
 * (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h. The sums run in double precision over the float32 outputs.
 */
export async function checkGradients(
  { inputs, build, step = 0.02, plan = fixedPlan }: GradientCase,
  rng: Rng,
): Promise<GradientCheck> {
  const graph = new Graph()
  const values = inputs.map(({ shape }, index) => graph.input(`x${index}`, "float32", shape))
  const built = build(...values)
  const results = Array.isArray(built) ? (built as readonly Value[]) : [built as Value]
  const weights = results.map(({ shape }, index) =>
    fill(shape, rng.child(`weight ${index}`), (stream) => stream.normal()),
  )
  const weighted = results.map((result, index) =>
    reduceSum(mul(result, graph.constant(weights[index] as Tensor, "weight"))),
  )
  const loss = weighted.reduce((sum, part) => graph.add("Add", [sum, part], {})[0] as Value)
  const analyticValues = gradients(graph, loss, values)
  const named = (prefix: string, list: readonly Value[]) =>
    list.map((value, index) => [`${prefix}${index}`, value] as const)
  const outputs = Object.fromEntries([...named("y", results), ...named("dx", analyticValues)])
  const lowered = lower(graph, outputs, plan)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
  const used = new Set(lowered.graph.inputs.map(({ name }) => name))
  const point = inputs.map(({ shape, draw }, index) =>
    fill(shape, rng.child(`x ${index}`), draw ?? ((stream) => stream.normal())),
  )
  const feeds = Object.fromEntries(
    point.map((tensor, index) => [`x${index}`, tensor]).filter(([name]) => used.has(name as string)),
  )

  const evaluate = async (): Promise<number> => {
    const outcome = await session.run(feeds)
    let total = 0
    for (const [index, weight] of weights.entries()) {
      const data = (outcome[`y${index}`] as Tensor).data as Float32Array
      for (let position = 0; position < data.length; position++)
        total += (data[position] as number) * ((weight as Tensor).data[position] as number)
    }
    return total
  }
  const outcome = await session.run(feeds)
  const analytic = values.map((_, index) => (outcome[`dx${index}`] as Tensor).data as Float32Array)
  const differences: number[] = []
  for (const [index, tensor] of point.entries()) {
    const data = tensor.data as Float32Array
    const numeric = new Float64Array(data.length)
    for (let position = 0; position < data.length; position++) {
      const original = data[position] as number
      let slope = 0
      for (const [offset, factor] of [
        [-2, 1],
        [-1, -8],
        [1, 8],
        [2, -1],
      ] as const) {
        data[position] = original + offset * step
        slope += factor * (await evaluate())
      }
      data[position] = original
      numeric[position] = slope / (12 * step)
    }
    differences.push(relativeDifference(analytic[index] as Float32Array, numeric))
  }
  await session.release()
  if (differences.length === 0) throw new InternalError("a gradient check without inputs checks nothing")
  return { differences, analytic }
}

function fill(shape: Shape, rng: Rng, draw: (rng: Rng) => number): Tensor {
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draw(rng)),
  )
}
