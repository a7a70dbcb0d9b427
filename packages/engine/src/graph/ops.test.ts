import { describe, expect, test } from "vitest"
import { createRng } from "../random/rng.ts"
import { createSession } from "../runtime/ort.ts"
import * as op from "./build.ts"
import { encodeModel } from "./codec.ts"
import { Graph, type Value } from "./graph.ts"
import { floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "./tensor.ts"

/** Runs what is built from inputs and gives the results of ONNX Runtime, whose shapes must be the inferred ones. */
async function run(
  feeds: readonly Tensor[],
  build: (...inputs: Value[]) => Value | readonly Value[],
  threads = 1,
): Promise<Tensor[]> {
  const graph = new Graph()
  const built = build(...feeds.map(({ dtype, shape }, index) => graph.input(`x${index}`, dtype, shape)))
  const values = Array.isArray(built) ? (built as readonly Value[]) : [built as Value]
  const outputs = Object.fromEntries(values.map((value, index) => [`y${index}`, value]))
  const session = await createSession(encodeModel(graph, outputs), { threads })
  const outcome = await session.run(Object.fromEntries(feeds.map((tensor, index) => [`x${index}`, tensor])))
  await session.release()
  return values.map(({ shape, dtype }, index) => {
    const result = outcome[`y${index}`]!
    expect([result.dtype, ...result.shape]).toEqual([dtype, ...shape])
    return result
  })
}

const floats = (...values: number[]): Tensor => floatTensor([values.length], Float32Array.from(values))
const upTo = (shape: Shape): Tensor =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, index) => index),
  )
const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number)

const elementwise: readonly [name: string, build: (x: Value) => Value, expected: (x: number) => number][] = [
  ["sigmoid", op.sigmoid, (x) => 1 / (1 + Math.exp(-x))],
  ["tanh", op.tanh, Math.tanh],
  ["softplus", op.softplus, (x) => Math.log1p(Math.exp(x))],
  ["sin", op.sin, Math.sin],
  ["cos", op.cos, Math.cos],
  ["floor", op.floor, Math.floor],
  ["ceil", op.ceil, Math.ceil],
  ["leakyRelu", (x) => op.leakyRelu(x, 0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ["elu", (x) => op.elu(x, 1.5), (x) => (x > 0 ? x : 1.5 * Math.expm1(x))],
  ["clip", (x) => op.clip(x, -1, 2), (x) => Math.min(2, Math.max(-1, x))],
  ["clip with one bound", (x) => op.clip(x, Number.NEGATIVE_INFINITY, 2), (x) => Math.min(2, x)],
  ["pow", (x) => op.pow(x, 3), (x) => x ** 3],
]

describe("ops", () => {
  test.each(elementwise)("%s computes what its name says", async (_, build, expected) => {
    const x = [-3.4, -1, -0.3, 0, 0.2, 0.7, 1.9, 4.6]
    const [y] = await run([floats(...x)], build)
    for (const [index, value] of numbers(y!).entries()) {
      const wanted = expected(Math.fround(x[index]!))
      expect(Math.abs(value - wanted)).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)))
    }
  })

  test("erf follows the error function, and round goes to the even neighbour", async () => {
    const [erf, rounded] = await run([floats(-0.5, 0.5, 1.5, 2.5)], (x) => [op.erf(x), op.round(x)])
    for (const [index, wanted] of [-0.5204999, 0.5204999, 0.9661051, 0.999593].entries())
      expect(numbers(erf!)[index]).toBeCloseTo(wanted, 6)
    expect(numbers(rounded!).map((value) => value + 0)).toEqual([0, 0, 2, 2])
  })

  test("gelu follows the normal distribution's share", async () => {
    const [y] = await run([floats(-6, -1, -0.5, 0, 0.5, 1, 6)], op.gelu)
    for (const [index, wanted] of [0, -0.1586553, -0.1542688, 0, 0.3457312, 0.8413447, 6].entries())
      expect(numbers(y!)[index]).toBeCloseTo(wanted, 6)
  })

  test("axes that are moved twice are moved once, or not at all", () => {
    const x = new Graph().input("x", "float32", [2, 3, 4])
    const moved = op.transpose(x, [1, 2, 0])
    expect(op.transpose(moved, [2, 0, 1])).toBe(x)
    const once = op.transpose(moved, [1, 0, 2])
    expect([once.shape, x.graph.producerOf(once)?.inputs]).toEqual([[4, 3, 2], [x]])
  })

  test("positions that are repeated down and across are repeated once", async () => {
    const graph = new Graph()
    const x = graph.input("x", "float32", [1, 1, 2, 2])
    const once = op.resize(op.resize(x, [2, 1]), [1, 3])
    expect(graph.producerOf(once)?.inputs).toEqual([x])
    const [y] = await run([upTo([1, 1, 2, 2])], (value) => op.resize(op.resize(value, [2, 1]), [1, 3]))
    const [upper, lower] = [
      [0, 0, 0, 1, 1, 1],
      [2, 2, 2, 3, 3, 3],
    ] as const
    expect(numbers(y!)).toEqual([...upper, ...upper, ...lower, ...lower])
    expect(() => op.resize(x, [1.5, 1])).toThrow(/whole times/)
  })

  test("a fused product is that of its factors, swapped first where asked", async () => {
    const [a, b] = [upTo([2, 1, 3, 4]), upTo([3, 4, 2])]
    const flags = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB, alpha: 0.5 })))
    const results = await run([a, b], (x, y) => {
      const [swappedX, swappedY] = [op.transpose(x, [0, 1, 3, 2]), op.transpose(y, [0, 2, 1])]
      const fused = flags.map((each) => op.fusedMatMul(each.transA ? swappedX : x, each.transB ? swappedY : y, each))
      return [op.mul(op.matMul(x, y), 0.5), ...fused]
    })
    for (const result of results.slice(1)) expect(numbers(result)).toEqual(numbers(results[0]!))
  })

  test("conditions combine as in logic", async () => {
    const results = await run([floats(0, 0, 1, 1), floats(0, 1, 0, 1)], (a, b) => {
      const [p, q] = [op.greater(a, 0.5), op.greater(b, 0.5)]
      return [op.not(p), op.and(p, q), op.or(p, q), op.xor(p, q)]
    })
    expect(results.map(numbers)).toEqual([
      [1, 1, 0, 0],
      [0, 0, 0, 1],
      [0, 1, 1, 1],
      [0, 1, 1, 0],
    ])
  })

  test("positions are found from either end, the first of equals", async () => {
    const x = floatTensor([2, 3], Float32Array.of(1, 5, 5, 7, 2, 0))
    const [first, kept, smallest, where] = await run([x], (value) => {
      const { values, indices } = op.topK(value, 2, -1, false)
      return [op.argMax(value, -1, false), op.argMax(value, 0, true), values, indices]
    })
    expect([first, kept, smallest, where].map((result) => numbers(result!))).toEqual([
      [1, 0],
      [1, 0, 0],
      [1, 5, 0, 2],
      [0, 1, 2, 1],
    ])
  })

  test("gathering takes parts by position", async () => {
    const results = await run([upTo([2, 3]), intTensor([2], [-1, 0]), intTensor([2, 2], [0, 2, 1, -3])], (x, i, j) => [
      op.gather(x, i, 1),
      op.gatherElements(x, j, 1),
      op.gatherND(x, j),
    ])
    expect(results.map(numbers)).toEqual([
      [2, 0, 5, 3],
      [0, 2, 4, 3],
      [2, 3],
    ])
  })

  test("scattering puts or adds updates by position", async () => {
    const feeds = [upTo([2, 3]), intTensor([2, 2], [0, 2, 1, -3]), floatTensor([2, 2], Float32Array.of(10, 20, 30, 40))]
    const rows = [upTo([3, 2]), intTensor([3, 1], [2, 0, -1]), upTo([3, 2])]
    const results = [
      await run(feeds, (x, i, updates) => [
        op.scatterElements(x, i, updates, 1, "none"),
        op.scatterElements(x, i, updates, 1, "add"),
        op.scatterND(x, i, op.slice(op.reshape(updates, [4]), 0, 0, 2), "none"),
      ]),
      await run(rows, (x, i, updates) => op.scatterND(x, i, updates, "add")),
    ].flat()
    expect(results.map(numbers)).toEqual([
      [10, 1, 20, 40, 30, 5],
      [10, 1, 22, 43, 34, 5],
      [0, 1, 10, 20, 4, 5],
      [2, 4, 2, 3, 8, 11],
    ])
  })

  test("additions to one place are not lost between threads", async () => {
    const [count, width] = [20_000, 16]
    const repeated = intTensor(
      [count, 1],
      Array.from({ length: count }, (_, index) => (index % 3) - (index % 2) * 3),
    )
    const ones = floatTensor([count, width], new Float32Array(count * width).fill(1))
    const [sum] = await run([repeated, ones], (i, u) => op.scatterND(op.expand(zero(i), [3, width]), i, u, "add"), 4)
    const expected = [6667, 6667, 6666].flatMap((row) => Array.from({ length: width }, () => row))
    expect(numbers(sum!)).toEqual(expected)
  })

  test("layer normalisation gives its mean and inverse deviation", async () => {
    const one = floatTensor([4], Float32Array.of(1, 1, 1, 1))
    const results = await run(
      [upTo([2, 4]), one, one],
      (x, scale, bias) => x.graph.add("LayerNormalization", [x, scale, bias], { axis: 1, epsilon: 0 }) as Value[],
    )
    const deviation = Math.sqrt(1.25)
    const row = [-1.5, -0.5, 0.5, 1.5].map((offset) => 1 + offset / deviation)
    const expected = [row.concat(row), [1.5, 5.5], [1 / deviation, 1 / deviation]]
    for (const [index, list] of expected.entries())
      for (const [position, value] of numbers(results[index]!).entries()) expect(value).toBeCloseTo(list[position]!, 5)
  })

  test("pooling has the windows and counts of its definition, with every rounding, padding and dilation", async () => {
    const rng = createRng("pooling")
    for (let index = 0; index < 120; index++) {
      const kernel = pair(() => 1 + rng.integer(3))
      const attributes = {
        kernel,
        strides: pair(() => 1 + rng.integer(4)),
        pads: [0, 1, 0, 1].map((axis) => rng.integer(kernel[axis]!)) as unknown as [number, number, number, number],
        ceil: rng.integer(2) === 1,
      }
      const dilations = pair(() => 1 + rng.integer(2))
      const x = floatTensor([1, 2, ...pair(() => 5 + rng.integer(4))], undefined)
      for (let position = 0; position < x.data.length; position++) x.data[position] = rng.normal()
      const [largest, where, mean, meanWithPads] = await run([x], (value) => [
        ...op.maxPool(value, { ...attributes, dilations }),
        op.averagePool(value, { ...attributes, countIncludePad: false }),
        op.averagePool(value, { ...attributes, countIncludePad: true }),
      ])
      const dilated = windows(x, { ...attributes, dilations })
      expect(numbers(largest!)).toEqual(dilated.map(({ inside }) => Math.max(...inside)))
      expect(numbers(where!).map((position) => x.data[position])).toEqual(numbers(largest!))
      const plain = windows(x, { ...attributes, dilations: [1, 1] })
      for (const [position, { inside, padded }] of plain.entries()) {
        const sum = inside.reduce((total, value) => total + value, 0)
        expect(numbers(mean!)[position]).toBeCloseTo(sum / inside.length, 5)
        expect(numbers(meanWithPads!)[position]).toBeCloseTo(sum / padded, 5)
      }
    }
  })
})

const pair = (draw: () => number): [number, number] => [draw(), draw()]
const zero = ({ graph }: Value): Value => graph.constant(floatTensor([]))

/** The elements of each window, and how many positions of input and padding it covers. */
function windows(
  { shape, data }: Tensor,
  { kernel, strides, pads, dilations, ceil }: Parameters<typeof op.maxPool>[1],
) {
  const [, channels, ...lengths] = shape as [number, number, number, number]
  const starts = lengths.map((length, axis) => {
    const [before, after] = [pads[axis]!, pads[axis + 2]!]
    const list: number[] = []
    for (let start = -before; start < (ceil ? length : length + after); start += strides[axis]!) {
      const end = start + dilations[axis]! * (kernel[axis]! - 1)
      const isWhole = end < length + after
      // Rounding up allows one window that is not whole, where the one before left something over.
      if (!isWhole && (!ceil || end - strides[axis]! >= length + after - 1)) break
      list.push(start)
    }
    return list
  })
  const along = (axis: number, start: number) =>
    Array.from({ length: kernel[axis]! }, (_, tap) => start + tap * dilations[axis]!).filter(
      (position) => position < lengths[axis]! + pads[axis + 2]!,
    )
  return Array.from({ length: channels }, (_, channel) =>
    starts[0]!.flatMap((top) =>
      starts[1]!.map((left) => {
        const [rows, columns] = [along(0, top), along(1, left)]
        const inside = rows.flatMap((row) =>
          columns
            .filter((column) => row >= 0 && row < lengths[0]! && column >= 0 && column < lengths[1]!)
            .map((column) => Number(data[(channel * lengths[0]! + row) * lengths[1]! + column])),
        )
        return { inside, padded: rows.length * columns.length }
      }),
    ),
  ).flat()
}
