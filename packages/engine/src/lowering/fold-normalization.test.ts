import { describe, expect, test } from "vitest"
import { add, conv, mul, relu, reshape } from "../graph/build.ts"
import { encodeModel, type NamedOutputs } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, nodesNeededFor, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import { foldNormalization } from "./fold-normalization.ts"

const rng = createRng("fold-normalization")

function draw(shape: Shape, name: string, make = (normal: number) => normal): Tensor {
  const stream = rng.child(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => make(stream.normal())),
  )
}

function norm(x: Value, name: string): Value {
  const channels = [x.shape[1] as number]
  const constant = (part: string, make?: (normal: number) => number) =>
    x.graph.constant(draw(channels, `${name} ${part}`, make), `${name} ${part}`)
  const inputs = [x, constant("scale"), constant("shift"), constant("mean"), constant("variance", (z) => z * z + 0.01)]
  return x.graph.add("BatchNormalization", inputs, { epsilon: 1e-5, training: false })[0] as Value
}

function weight(graph: Graph, shape: Shape): Value {
  return graph.constant(draw(shape, `weight ${shape}`), `weight ${shape}`)
}

const xShape = [2, 6, 7, 5] as const
const cases: Readonly<Record<string, { build: (x: Value) => NamedOutputs; normsLeft: number }>> = {
  "a convolution": { build: (x) => ({ y: norm(conv(x, weight(x.graph, [4, 6, 3, 3])), "a") }), normsLeft: 0 },
  "one in groups, with strides and pads": {
    build: (x) => ({
      y: norm(conv(x, weight(x.graph, [9, 2, 3, 2]), { strides: [2, 1], pads: [1, 0, 1, 2], group: 3 }), "b"),
    }),
    normsLeft: 0,
  },
  "one with a bias, reshaped as an importer writes it": {
    build: (x) => {
      const bias = reshape(x.graph.constant(draw([8], "bias")), [1, 8, 1, 1])
      return { y: norm(add(bias, conv(x, weight(x.graph, [8, 6, 1, 1]))), "c") }
    },
    normsLeft: 0,
  },
  "two in a row": {
    build: (x) => {
      const first = relu(norm(conv(x, weight(x.graph, [6, 6, 1, 1])), "d"))
      return { y: add(norm(conv(first, weight(x.graph, [6, 6, 1, 1])), "e"), x) }
    },
    normsLeft: 0,
  },
  "a convolution that something else reads, left as it is": {
    build: (x) => {
      const y = conv(x, weight(x.graph, [4, 6, 1, 1]))
      return { y: norm(y, "f"), map: y }
    },
    normsLeft: 1,
  },
  "a norm before a convolution and one after another sum, left as they are": {
    build: (x) => {
      const y = conv(norm(x, "g"), weight(x.graph, [6, 6, 1, 1]))
      return { y: norm(add(y, x), "h"), z: norm(mul(y, 2), "i") }
    },
    normsLeft: 3,
  },
}

async function run(graph: Graph, outputs: NamedOutputs, x: Tensor): Promise<Record<string, Tensor>> {
  const session = await createSession(encodeModel(graph, outputs), { threads: 1, optimize: false })
  const results = await session.run({ x })
  await session.release()
  return results
}

describe("folding batch normalisation", () => {
  test.each(Object.entries(cases))("gives what ONNX Runtime gives for %s", async (name, { build, normsLeft }) => {
    const graph = new Graph()
    const outputs = build(graph.input("x", "float32", xShape))
    const folded = foldNormalization(graph, outputs)
    const norms = nodesNeededFor(folded.graph, Object.values(folded.outputs)).filter(
      ({ op }) => op === "BatchNormalization",
    )
    expect(norms).toHaveLength(normsLeft)
    const x = draw(xShape, name)
    const [expected, actual] = [await run(graph, outputs, x), await run(folded.graph, folded.outputs, x)]
    for (const key of Object.keys(outputs)) {
      const [a, b] = [actual[key]!, expected[key]!]
      expect(a.shape).toEqual(b.shape)
      expect(relativeDifference(a.data as Float32Array, b.data as Float32Array), key).toBeLessThan(1e-5)
    }
  })

  test("a norm that uses the statistics of the batch stays", () => {
    const graph = new Graph()
    const y = conv(graph.input("x", "float32", xShape), weight(graph, [4, 6, 1, 1]))
    const ones = graph.constant(draw([4], "ones", () => 1))
    const [z] = graph.add("BatchNormalization", [y, ones, ones, ones, ones], { epsilon: 1e-5, training: true })
    const folded = foldNormalization(graph, { z: z as Value })
    expect(folded.graph.nodes.map(({ op }) => op)).toEqual(["Conv", "BatchNormalization"])
  })
})
