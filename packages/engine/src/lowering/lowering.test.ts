import { describe, expect, test } from "vitest"
import { conv, convAttributes } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { relativeDifference } from "../graph/compare.ts"
import { Graph, type Value } from "../graph/graph.ts"
import type { ConvAttributes } from "../graph/ops.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import { probeChannelBlock } from "../runtime/channel-block.ts"
import { createSession } from "../runtime/ort.ts"
import { lower, productsOf } from "./lower.ts"
import { chosenLowering, fixedPlan, type LoweringPlan, lowerings, possibleLowerings } from "./plan.ts"
import { productKey, productKinds } from "./product.ts"

const rng = createRng("lowering")

interface ConvCase extends Partial<ConvAttributes> {
  readonly x: readonly [number, number, number, number]
  readonly w: readonly [number, number, number, number]
}

const convCases: readonly ConvCase[] = [
  { x: [2, 16, 6, 6], w: [32, 16, 3, 3], pads: [1, 1, 1, 1] },
  { x: [3, 32, 8, 8], w: [16, 32, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  { x: [2, 32, 8, 8], w: [16, 32, 1, 1], strides: [2, 2] },
  { x: [2, 3, 7, 9], w: [16, 3, 3, 3], pads: [1, 1, 1, 1] },
  { x: [2, 5, 7, 9], w: [6, 5, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  { x: [2, 3, 5, 5], w: [4, 3, 1, 1] },
  { x: [2, 4, 7, 7], w: [6, 2, 3, 3], pads: [1, 1, 1, 1], group: 2 },
  { x: [2, 4, 6, 6], w: [4, 1, 3, 3], pads: [1, 1, 1, 1], group: 4 },
  { x: [2, 3, 9, 8], w: [4, 3, 3, 3], pads: [2, 2, 2, 2], dilations: [2, 2] },
  { x: [2, 3, 8, 7], w: [4, 3, 5, 3], pads: [2, 0, 1, 2] },
  { x: [1, 2, 4, 4], w: [3, 2, 2, 2], pads: [1, 1, 1, 1] },
  { x: [16, 3, 7, 8], w: [16, 3, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
  { x: [16, 4, 6, 6], w: [32, 4, 3, 3], pads: [1, 1, 1, 1] },
  { x: [2, 3, 11, 9], w: [4, 3, 5, 4], pads: [2, 1, 2, 1], strides: [3, 2] },
  // one-dimensional, as [N, C, 1, L]
  { x: [2, 3, 1, 12], w: [4, 3, 1, 5], pads: [0, 2, 0, 2], strides: [1, 2] },
  { x: [16, 16, 1, 9], w: [16, 16, 1, 3], pads: [0, 1, 0, 1] },
  // depthwise with two outputs a channel, and groups with a stride
  { x: [2, 4, 9, 8], w: [8, 1, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 4 },
  { x: [2, 6, 7, 7], w: [4, 3, 3, 3], pads: [0, 1, 1, 0], strides: [2, 1], group: 2 },
  // strides larger than the kernel, and ends that no window reaches
  { x: [2, 3, 8, 9], w: [4, 3, 2, 2], strides: [3, 4] },
  { x: [16, 16, 8, 10], w: [16, 16, 3, 3], strides: [3, 2] },
  { x: [16, 16, 6, 7], w: [16, 16, 2, 2], strides: [3, 4] },
  { x: [2, 3, 7, 6], w: [4, 3, 1, 1], strides: [3, 4] },
  { x: [16, 16, 6, 6], w: [16, 16, 3, 3], strides: [2, 2], pads: [1, 1, 0, 0] },
  // dilations with strides, uneven pads, and pads wider than the kernel reaches
  { x: [2, 3, 9, 10], w: [4, 3, 3, 2], dilations: [2, 3], strides: [2, 1], pads: [1, 2, 0, 3] },
  { x: [2, 3, 4, 4], w: [4, 3, 1, 1], pads: [1, 0, 1, 2] },
  { x: [2, 3, 5, 4], w: [4, 3, 2, 3], pads: [3, 4, 2, 0], strides: [2, 1] },
  { x: [16, 16, 4, 5], w: [16, 16, 2, 2], pads: [2, 3, 3, 2], strides: [2, 2] },
  // depthwise in whole blocks: dilated, strided with ends that no window reaches, uneven pads
  { x: [3, 32, 7, 9], w: [32, 1, 3, 3], pads: [1, 1, 1, 1], group: 32 },
  { x: [2, 16, 9, 10], w: [16, 1, 3, 2], pads: [1, 2, 0, 3], dilations: [2, 3], strides: [2, 1], group: 16 },
  { x: [2, 16, 8, 7], w: [16, 1, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 16 },
  { x: [2, 16, 8, 11], w: [16, 1, 5, 5], pads: [1, 2, 2, 1], strides: [3, 2], group: 16 },
  { x: [2, 16, 8, 9], w: [16, 1, 2, 2], strides: [3, 4], group: 16 },
  { x: [2, 16, 3, 3], w: [16, 1, 1, 1], pads: [1, 0, 1, 2], group: 16 },
  { x: [2, 16, 5, 5], w: [16, 1, 2, 2], pads: [2, 3, 3, 2], group: 16 },
  // strided, phase by phase: even and odd sizes, kernels as wide as the stride, dilations that share a factor with it or not
  { x: [2, 16, 8, 8], w: [16, 16, 3, 3], strides: [2, 2] },
  { x: [2, 32, 9, 7], w: [16, 32, 2, 2], strides: [2, 2] },
  { x: [2, 16, 7, 10], w: [32, 16, 5, 4], pads: [2, 1, 1, 2], strides: [2, 3] },
  { x: [2, 16, 9, 12], w: [16, 16, 3, 3], pads: [2, 3, 2, 3], dilations: [2, 3], strides: [2, 2] },
  { x: [2, 16, 9, 7], w: [16, 1, 4, 3], pads: [1, 1, 2, 1], strides: [2, 1], group: 16 },
  { x: [2, 16, 7, 7], w: [32, 16, 1, 1], strides: [2, 2] },
  { x: [2, 16, 9, 9], w: [16, 1, 1, 1], strides: [2, 4], group: 16 },
  // groups of whole blocks
  { x: [2, 32, 6, 7], w: [32, 16, 3, 3], pads: [1, 1, 1, 1], group: 2 },
  { x: [16, 32, 7, 6], w: [64, 16, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 2 },
  { x: [2, 96, 3, 3], w: [48, 32, 1, 1], group: 3 },
  // 1x1: groups, and strides with ends that no window reaches
  { x: [3, 6, 4, 5], w: [8, 3, 1, 1], group: 2 },
  { x: [2, 4, 7, 6], w: [6, 2, 1, 1], strides: [2, 2], group: 2 },
  { x: [2, 5, 4, 5], w: [3, 5, 1, 1], strides: [1, 2] },
  // groups of a few channels, merged to whole blocks: one group or several left, strided, uneven inputs and outputs
  { x: [2, 16, 6, 7], w: [16, 4, 3, 3], pads: [1, 1, 1, 1], group: 4 },
  { x: [16, 32, 7, 6], w: [32, 4, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], group: 8 },
  { x: [16, 16, 5, 6], w: [32, 2, 3, 2], pads: [1, 0, 1, 1], group: 8 },
  { x: [2, 48, 4, 4], w: [96, 12, 1, 1], group: 4 },
  { x: [16, 16, 6, 6], w: [32, 1, 3, 3], pads: [0, 1, 1, 0], dilations: [2, 1], group: 16 },
  // single elements
  { x: [1, 1, 1, 1], w: [1, 1, 1, 1] },
  { x: [2, 3, 4, 5], w: [5, 3, 4, 5] },
]

function draw(shape: Shape, name: string): Tensor {
  const stream = rng.child(name)
  return floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => stream.normal()),
  )
}

/** The sums of the definition, one multiplication at a time in double precision. */
function reference(
  { x: [n, c, h, w], w: [o, cg, kh, kw], ...rest }: ConvCase,
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  oh: number,
  ow: number,
) {
  const { strides, pads, dilations, group } = convAttributes(rest)
  const y = new Float64Array(n * o * oh * ow)
  const dx = new Float64Array(n * c * h * w)
  const dw = new Float64Array(o * cg * kh * kw)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < o; k++)
      for (let a = 0; a < oh; a++)
        for (let b = 0; b < ow; b++)
          for (let j = 0; j < cg; j++)
            for (let p = 0; p < kh; p++)
              for (let q = 0; q < kw; q++) {
                const row = a * strides[0] + p * dilations[0] - pads[0]
                const column = b * strides[1] + q * dilations[1] - pads[1]
                if (row < 0 || row >= h || column < 0 || column >= w) continue
                const channel = Math.floor(k / (o / group)) * cg + j
                const xi = ((i * c + channel) * h + row) * w + column
                const wi = ((k * cg + j) * kh + p) * kw + q
                const yi = ((i * o + k) * oh + a) * ow + b
                y[yi]! += Number(x.data[xi]) * Number(weight.data[wi])
                dx[xi]! += Number(dy.data[yi]) * Number(weight.data[wi])
                dw[wi]! += Number(dy.data[yi]) * Number(x.data[xi])
              }
  return { forward: y, "input-gradient": dx, "weight-gradient": dw, inference: y }
}

/** What the cases have compared so far, as `kind name`. */
const comparedWays = new Set<string>()

describe("lowering", () => {
  test.each(convCases)(
    "every way to compute the products of $x by $w gives the sums of the definition",
    async (each) => {
      const { x: xShape, w: wShape, ...rest } = each
      const attributes = convAttributes(rest)
      const graph = new Graph()
      const x = graph.input("x", "float32", xShape)
      const weight = graph.input("w", "float32", wShape)
      const y = conv(x, weight, attributes)
      const dy = graph.input("dy", "float32", y.shape)
      const feeds = { x: draw(xShape, "x"), w: draw(wShape, "w"), dy: draw(y.shape, "dy") }
      const results = {
        forward: y,
        inference: conv(x, graph.constant(feeds.w, "constant w"), attributes),
        "input-gradient": graph.add("ConvInputGradient", [weight, dy], {
          ...attributes,
          inputShape: xShape,
        })[0] as Value,
        "weight-gradient": graph.add("ConvWeightGradient", [x, dy], { ...attributes, weightShape: wShape })[0] as Value,
      }
      const expected = reference(each, feeds.x, feeds.w, feeds.dy, y.shape[2]!, y.shape[3]!)
      const channelBlock = await probeChannelBlock()
      const compared: string[] = []
      for (const product of productsOf(graph, results)) {
        for (const { name } of possibleLowerings(product, channelBlock)) {
          const lowered = lower(graph, { result: results[product.kind] }, { [productKey(product)]: name })
          const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
          const needed = {
            forward: ["x", "w"],
            "input-gradient": ["w", "dy"],
            "weight-gradient": ["x", "dy"],
            inference: ["x"],
          }[product.kind]
          const outcome = await session.run(Object.fromEntries(needed.map((key) => [key, feeds[key as "x"]])))
          await session.release()
          const difference = relativeDifference(outcome.result!.data as Float32Array, expected[product.kind])
          expect(difference, `${product.kind} ${name}`).toBeLessThan(2e-5)
          compared.push(product.kind)
          comparedWays.add(`${product.kind} ${name}`)
        }
      }
      // Padding that a product would have to cut off leaves one way for its input gradient.
      expect(new Set(compared)).toEqual(new Set(productKinds))
      expect(compared.length).toBeGreaterThanOrEqual(4)
    },
  )

  test("every way that this processor has was compared, not only those that win", async () => {
    const channelBlock = await probeChannelBlock()
    const ways = productKinds.flatMap((kind) =>
      lowerings[kind]
        .filter((way) => way.channelBlock === undefined || way.channelBlock === channelBlock)
        .map(({ name }) => `${kind} ${name}`),
    )
    expect([...comparedWays].toSorted()).toEqual(expect.arrayContaining(ways.toSorted()))
  })

  test.each([
    { x: [2, 16, 4, 5], w: [16, 16, 3, 3], pads: [1, 1, 1, 1], strides: [2, 2], outputPadding: [1, 1] },
    { x: [2, 16, 4, 5], w: [16, 3, 2, 2], strides: [2, 2] },
    { x: [3, 32, 5, 4], w: [32, 1, 4, 3], pads: [1, 2, 0, 1], strides: [3, 2], outputPadding: [2, 0], group: 32 },
    { x: [2, 8, 3, 6], w: [8, 4, 3, 2], pads: [0, 1, 1, 0], dilations: [2, 1], strides: [1, 2], group: 2 },
  ] as const)("a transposed convolution of $x by $w is the input gradient of its opposite", async (each) => {
    const {
      x: xShape,
      w: wShape,
      outputPadding = [0, 0],
      ...rest
    } = each as typeof each & { outputPadding?: [number, number] }
    const graph = new Graph()
    const [x, w] = [graph.input("x", "float32", xShape), graph.input("w", "float32", wShape)]
    const [y] = graph.add("ConvTranspose", [x, w], {
      ...convAttributes(rest as Partial<ConvAttributes>),
      outputPadding,
    }) as [Value]
    const feeds = { x: draw(xShape, "x"), w: draw(wShape, "w") }
    const compute = async (plan: LoweringPlan) => {
      const lowered = lower(graph, { y }, plan)
      const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
      const outcome = await session.run(feeds)
      await session.release()
      return outcome.y!.data as Float32Array
    }
    const [product] = productsOf(graph, { y })
    const kept = await compute(fixedPlan)
    const ways = possibleLowerings(product!, await probeChannelBlock())
    expect(ways.length).toBeGreaterThanOrEqual(2)
    for (const { name } of ways) {
      const difference = relativeDifference(await compute({ [productKey(product!)]: name }), kept)
      expect(difference, name).toBeLessThan(2e-5)
    }
  })

  test("a plan that names an unknown way is refused with the known ones", () => {
    const graph = new Graph()
    const y = conv(graph.input("x", "float32", [1, 3, 4, 4]), graph.input("w", "float32", [4, 3, 3, 3]))
    const [product] = productsOf(graph, { y })
    expect(() => chosenLowering(product!, { [productKey(product!)]: "winograd" })).toThrow(/one of plain, .*winograd/)
    expect(chosenLowering(product!, fixedPlan).name).toBe("plain")
  })
})
