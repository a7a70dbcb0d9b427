import { describe, expect, test } from "vitest"
import { gradients } from "../../autodiff/gradients.ts"
import { LearnlossError } from "../../errors.ts"
import { reduceSum } from "../../graph/build.ts"
import { encodeModel } from "../../graph/codec.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { lower } from "../../lowering/lower.ts"
import { fixedPlan } from "../../lowering/plan.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import { createRng } from "../../random/rng.ts"
import { writeOnnxModel } from "../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { damagedBytes, damagedParts } from "./damage.test-suite.ts"
import { fuzzModels } from "./fuzz-models.test-suite.ts"
import { importNetwork } from "./network.ts"

const batch = 2
const slowestMs = 5_000
const largestBytes = 2 ** 28

/** How far a damaged file came: refused by a typed error, imported, or differentiated and encoded too. */
type Outcome = "refused" | "imported" | "trained"

function tryToTrain(bytes: Uint8Array, isDifferentiated: boolean): Outcome {
  const done = { outcome: "refused" as Outcome }
  try {
    const model = decodeOnnxModel(bytes, "damaged.onnx")
    const graph = new Graph()
    const given = new Map(
      model.inputs.map(({ name, shape, dataType }) => {
        const dtype = dataType === "int64" || dataType === "bool" ? dataType : "float32"
        const lengths = (shape ?? [batch]).map((length, axis) => (axis === 0 ? batch : Number(length) || 4))
        return [name, graph.input(`fed ${name}`, dtype, lengths)]
      }),
    )
    const network = createNetworkBuilder(graph, "inputs")
    const wanted = model.outputs.map(({ name }) => name)
    const values = importNetwork(network, model, { wanted, given, batch })
    done.outcome = "imported"
    const loss = [...values.values()].find(({ dtype }) => dtype === "float32")
    if (!isDifferentiated || loss === undefined) return done.outcome
    const parameters = network.specs.flatMap(({ name, kind }) =>
      kind === "parameter" ? [network.values.get(name) as Value] : [],
    )
    const slopes = gradients(graph, reduceSum(loss), parameters)
    const outputs = Object.fromEntries(slopes.map((slope, index) => [`slope ${index}`, slope]))
    const lowered = lower(graph, { ...outputs, loss }, fixedPlan)
    expect(encodeModel(lowered.graph, lowered.outputs).byteLength).toBeLessThan(largestBytes)
    return "trained"
  } catch (error) {
    if (error instanceof LearnlossError) return done.outcome
    throw error
  }
}

/** Runs a damaged file; what is wrong is told with the seed that makes the same file again. */
function outcomeOf(seed: string, bytes: Uint8Array, isDifferentiated: boolean): Outcome {
  const started = performance.now()
  let outcome: Outcome
  try {
    outcome = tryToTrain(bytes, isDifferentiated)
  } catch (error) {
    throw new Error(`seed "${seed}": ${error instanceof Error ? error.stack : String(error)}`)
  }
  expect(performance.now() - started, `milliseconds for seed "${seed}"`).toBeLessThan(slowestMs)
  return outcome
}

describe.each(Object.entries(fuzzModels()))("damaged files of %s", (name, model) => {
  const whole = writeOnnxModel(model)
  const weightBytes = Object.values(model.initializers ?? {}).reduce(
    (sum, tensor) => sum + ("data" in tensor ? tensor.data.byteLength : 0),
    0,
  )

  test("the whole file is imported, differentiated and encoded", () => {
    expect(outcomeOf("whole", whole, true)).toBe("trained")
  })

  test.each([
    ["bytes", 300, (seed: string) => damagedBytes(whole, whole.length - weightBytes, createRng(seed))],
    ["parts", 400, (seed: string) => writeOnnxModel(damagedParts(model, createRng(seed)))],
  ] as const)("with damaged %s are trained or refused by a typed error: %i of them", (kind, rounds, damage) => {
    const counts = { refused: 0, imported: 0, trained: 0 }
    for (let round = 0; round < rounds; round++) {
      const seed = `${name} ${kind} ${round}`
      counts[outcomeOf(seed, damage(seed), round % 3 === 0)]++
    }
    expect(counts.refused).toBeGreaterThan(rounds / 10)
    expect(counts.imported + counts.trained).toBeGreaterThan(rounds / 10)
  })
})
