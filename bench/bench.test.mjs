import { createNetworkBuilder, Graph, linear, op, pooled } from "@learnloss/engine"
import { buildTraining, classification, models } from "@learnloss/learn"
import { expect, test } from "vitest"
import { cases } from "./cases.mjs"
import { forwardFlops, trainingFlops } from "./flops.mjs"
import { requireSame } from "./measure.mjs"
import { median, timeInTurn, timers } from "./speed.mjs"
import { figuresOf, tableHead, tableRow } from "./table.mjs"

const zeros = (shape) => ({ dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) })

/** A 3x3 convolution, a 1x1 convolution of stride 2 and a linear layer, on two images of 8x8. */
function smallNetwork() {
  const graph = new Graph()
  const b = createNetworkBuilder(graph, "inputs")
  const images = graph.input("images", "float32", [2, 3, 8, 8])
  const first = op.conv(images, b.parameter("first", [4, 3, 3, 3], zeros), { pads: [1, 1, 1, 1] })
  const second = op.conv(op.relu(first), b.parameter("second", [5, 4, 1, 1], zeros), { strides: [2, 2] })
  const logits = linear(b.scope("fc"), pooled(second), 10)
  return { graph, network: b, logits, features: second }
}

// 2 x 4x8x8 outputs of 27 products; 2 x 5x4x4 of 4; 2 x 10 of 5; each counts twice.
const [first, second, last] = [2 * 512 * 27, 2 * 160 * 4, 2 * 20 * 5]

test("operations of a network are two for each multiplication", () => {
  const { graph, logits, features } = smallNetwork()
  expect(forwardFlops(graph, [logits])).toBe(first + second + last)
  expect(forwardFlops(graph, [features])).toBe(first + second)
})

test("a training step costs both gradients, but for the images nobody needs one", () => {
  const { graph, network, logits } = smallNetwork()
  const loss = op.reduceMean(logits)
  expect(trainingFlops({ graph, network, loss })).toBe(2 * first + 3 * second + 3 * last)
})

test("nothing is counted for gradients that are stopped", () => {
  const { graph, network, features } = smallNetwork()
  const loss = op.reduceMean(linear(network.scope("module"), op.stopGradient(pooled(features)), 10))
  expect(trainingFlops({ graph, network, loss })).toBe(first + second + 2 * last)
})

test("products of two computed matrices have two gradients", () => {
  const graph = new Graph()
  const b = createNetworkBuilder(graph, "inputs")
  const a = b.parameter("a", [2, 3, 4], zeros)
  const loss = op.reduceMean(op.matMul(a, op.transpose(a, [0, 2, 1])))
  expect(trainingFlops({ graph, network: b, loss })).toBe(3 * (2 * 2 * 3 * 3 * 4))
  const fused = op.reduceMean(op.fusedMatMul(a, a, { transA: true }))
  expect(forwardFlops(graph, [fused])).toBe(2 * 2 * 4 * 4 * 3)
})

test("ResNet-18 of width 64 has its published 0.56 billion multiplications an image of 32x32", () => {
  const classes = Array.from({ length: 10 }, (_, index) => String(index))
  const spec = buildTraining(
    {
      model: models.resnet18({ width: 64, classes: 10, imageShape: { channels: 3, height: 32, width: 32 } }),
      task: classification(classes),
      imageShape: { channels: 3, height: 32, width: 32 },
      strategyTraining: { lossModule: "none", objective: "ranking", readsOutputs: false },
      config: {
        training: {
          steps: 1,
          batch: 2,
          learningRate: 1,
          optimizer: "sgd",
          momentum: 0,
          weightDecay: 0,
          schedule: { kind: "constant" },
        },
        lossModule: { stopGradientAt: "100%" },
      },
    },
    2,
  )
  expect(forwardFlops(spec.graph, [spec.loss]) / 2 / 2e9).toBeCloseTo(0.56, 2)
})

const step = { name: "step", kind: "step", wanted: 1.1, wantedShare: 0.6 }

test("a row holds medians, their ratio, and what of the wanted is met", () => {
  const figures = figuresOf(step, { ours: [2, 1, 4], peer: [3, 2.1, 2.3], flops: 240e9, way: "eager", limit: 200 })
  expect(figures).toMatchObject({ ours: 2, peer: 2.3, ratio: 1.15, ratioOfBest: 2.1, isMet: true, isShareMet: true })
  expect(figures.gflops.ours).toBeCloseTo(120)
  expect(figures.share.ours).toBeCloseTo(0.6)
  const row = tableRow(figures)
  expect(row.split(/\s{2,}/)).toEqual([
    "step",
    "2.000 s (1.000-4.000)",
    "2.300 s (2.100-3.000)",
    "1.15",
    "2.10",
    "1.10 met",
    "120 / 104",
    "0.60 / 0.52",
    "0.60 met",
    "eager",
  ])
  expect(row.indexOf("eager")).toBe(tableHead.indexOf("PyTorch's way"))
})

test("a row tells what falls short, and leaves out what is not known", () => {
  expect(tableRow(figuresOf(step, { ours: [2], peer: [1], flops: 100e9, limit: 200 }))).toMatch(
    /0\.50 +1\.10 short .*0\.60 short/,
  )
  const alone = figuresOf(step, { ours: [2], peer: [] })
  expect(alone).toMatchObject({ peer: null, ratio: null, isMet: null, share: null, isShareMet: null })
  expect(tableRow(alone)).toMatch(/^step +2\.000 s \(2\.000-2\.000\) +- +- +1\.10 +0\.60$/)
})

test("memory is shown in MiB, and what only takes time is held to seconds", () => {
  const memory = { name: "memory", kind: "memory", wanted: 1 }
  expect(tableRow(figuresOf(memory, { ours: [2 ** 30], peer: [2 ** 31] }))).toMatch(
    /1024 MiB +2048 MiB +2\.00 +1\.00 met$/,
  )
  const build = { name: "build", kind: "build", wanted: null, wantedSeconds: 5 }
  expect(tableRow(figuresOf(build, { ours: [6], peer: [] }))).toMatch(/ - +- +< 5 s short$/)
})

test("both sides are run in turn, then the limit, and short work is repeated", async () => {
  const calls = []
  const ours = { run: async () => void calls.push("ours") }
  const peer = {
    async request({ command, times }) {
      calls.push(`${command} ${times}`)
      return { seconds: times * 0.3 }
    },
  }
  // A run of 0.3 s is the peer's; ours takes no time, so that a thousandth of a second bounds the repetitions.
  const sides = { ours: timers.ours(ours), peer: timers.peer(peer), limit: timers.peer(peer, "limit") }
  const seconds = await timeInTurn(sides, { repetitions: 2, warmups: 1 })
  expect(seconds.peer).toEqual([0.3, 0.3].map((each) => expect.closeTo(each)))
  expect(seconds.ours).toHaveLength(2)
  expect(calls.slice(0, 3)).toEqual(["ours", "ours", "run 1"])
  expect(calls.filter((call) => call === "run 500")).toHaveLength(2)
  expect(calls.slice(-2)).toEqual(["run 500", "limit 1"])
  expect(seconds.limit).toHaveLength(2)
})

test("work that is warm and long already runs once a repetition", async () => {
  const calls = []
  const side = (name) => async (times) => calls.push(`${name} ${times}`)
  await timeInTurn({ ours: side("ours"), peer: side("peer") }, { repetitions: 2, warmups: 0 })
  expect(calls).toEqual(["ours 1", "peer 1", "ours 1", "peer 1"])
})

test("the median of an even count lies between the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test("sides that compute different things are refused", () => {
  expect(() => requireSame("case", { ours: 2.304, peer: 2.305 }, 1e-3)).not.toThrow()
  expect(() => requireSame("case", { ours: 2.3, peer: 2.31 }, 1e-3)).toThrow(/case: .*2\.3 .*2\.31/)
  expect(() => requireSame("case", { ours: 0.8, peer: 0.83 }, 0.05, true)).not.toThrow()
  expect(() => requireSame("case", { ours: Number.NaN, peer: 1 }, 1e-3)).toThrow()
  expect(() => requireSame("case", { ours: 1, peer: null }, 1e-3)).not.toThrow()
})

test("every case has a name of its own and something to be held to", () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  const informing = cases.filter(({ wanted, wantedSeconds }) => wanted === null && wantedSeconds === undefined)
  expect(informing.map(({ name }) => name)).toEqual(["gemm-2048", "cycles-cnn4", "memory-w64-b32", "memory-planning"])
})
