import { compileModel, createRng, exportModel, floatTensor, Graph } from "@learnloss/engine"
import * as web from "onnxruntime-web"
import { describe, expect, test } from "vitest"
import type { Detection } from "../../data/boxes.ts"
import { type DecodeSettings, decodeDetections, ssdDecoding } from "./decode-detections.ts"
import { fileEnding } from "./file-ending.ts"

web.env.wasm.numThreads = 1

interface Case {
  readonly name: string
  readonly boxes: number
  readonly classes: number
  /** Spread of the class logits, and what is added to the background's. */
  readonly spread: number
  readonly background: number
  readonly settings?: Partial<DecodeSettings>
}

const cases: readonly Case[] = [
  { name: "some detections", boxes: 300, classes: 4, spread: 3, background: 5 },
  { name: "more candidates of a class than enter its suppression", boxes: 900, classes: 3, spread: 2, background: 0 },
  { name: "more detections than an image keeps", boxes: 900, classes: 20, spread: 3, background: 0 },
  {
    name: "other settings",
    boxes: 200,
    classes: 2,
    spread: 3,
    background: 1,
    settings: { scoreThreshold: 0.3, candidatesPerClass: 30, iouThreshold: 0.2, detectionsPerImage: 5 },
  },
  { name: "a single class of few boxes", boxes: 7, classes: 1, spread: 2, background: 0 },
  { name: "nothing found", boxes: 50, classes: 3, spread: 0.1, background: 30 },
]

const batch = 3

function drawCase({ name, boxes, classes, spread, background }: Case) {
  const rng = createRng(name)
  const defaults = Float32Array.from({ length: boxes * 4 }, (_, index) =>
    index % 4 < 2 ? rng.float() : 0.05 + 0.4 * rng.float(),
  )
  const columns = 5 + classes
  const output = Float32Array.from({ length: batch * boxes * columns }, (_, index) => {
    const column = index % columns
    if (column < 4) return 3 * rng.normal()
    // The last image of every case is empty.
    const image = Math.floor(index / (boxes * columns))
    return spread * rng.normal() + (column === 4 ? background + (image === batch - 1 ? 40 : 0) : 0)
  })
  return { defaults, output, columns }
}

/** A file that takes a network's output as it is. */
function fileOf(each: Case, defaults: Float32Array, settings: DecodeSettings): Uint8Array {
  return exportModel((size) => {
    const graph = new Graph()
    const output = graph.input("output", "float32", [size, each.boxes, 5 + each.classes])
    return { graph, ...fileEnding(output, defaults, settings) }
  })
}

interface Outputs {
  readonly boxes: ArrayLike<number>
  readonly scores: ArrayLike<number>
  readonly classes: ArrayLike<bigint>
  readonly imageIndex: ArrayLike<bigint>
}

function detectionsOf({ boxes, scores, classes, imageIndex }: Outputs): Detection[][] {
  const found: Detection[][] = Array.from({ length: batch }, () => [])
  for (let index = 0; index < scores.length; index++) {
    const box = [0, 1, 2, 3].map((corner) => boxes[4 * index + corner]!) as [number, number, number, number]
    found[Number(imageIndex[index])]!.push({ classIndex: Number(classes[index]), score: scores[index]!, box })
  }
  return found
}

function expectSame(found: readonly Detection[][], expected: readonly Detection[][]): void {
  expect(found.map((each) => each.map(({ classIndex }) => classIndex))).toEqual(
    expected.map((each) => each.map(({ classIndex }) => classIndex)),
  )
  for (const [image, detections] of expected.entries()) {
    for (const [index, { score, box }] of detections.entries()) {
      const own = found[image]![index]!
      expect(Math.abs(own.score - score)).toBeLessThan(1e-5)
      for (const [corner, value] of box.entries()) expect(Math.abs(own.box[corner]! - value)).toBeLessThan(1e-5)
    }
  }
}

describe.each(cases)("a written detector: $name", (each) => {
  const settings = { ...ssdDecoding, ...each.settings }
  const { defaults, output, columns } = drawCase(each)
  const expected = Array.from({ length: batch }, (_, image) => {
    const row = output.subarray(image * each.boxes * columns, (image + 1) * each.boxes * columns)
    return decodeDetections(row, defaults, settings)
  })
  const model = fileOf(each, defaults, settings)
  const shape = [batch, each.boxes, columns]

  test("finds what decoding finds, image by image", async () => {
    const session = await compileModel(model, { threads: 1 })
    const results = await session.run({ output: floatTensor(shape, output) })
    await session.release()
    expect(Object.keys(results)).toEqual(["boxes", "scores", "classes", "imageIndex"])
    const count = expected.flat().length
    expect(count > 0).toBe(each.name !== "nothing found")
    expect(results.boxes!.shape).toEqual([count, 4])
    for (const name of ["scores", "classes", "imageIndex"]) expect(results[name]!.shape).toEqual([count])
    const data = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data]))
    expectSame(detectionsOf(data as never), expected)
  })

  test("finds the same in a browser's runtime", async () => {
    const session = await web.InferenceSession.create(model)
    const results = await session.run({ output: new web.Tensor("float32", output, shape) })
    const data = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data]))
    await session.release()
    expectSame(detectionsOf(data as never), expected)
  })
})

test("equal scores keep the order of classes, then of default boxes", async () => {
  const each: Case = { name: "ties", boxes: 6, classes: 2, spread: 0, background: 0 }
  const defaults = Float32Array.from({ length: 24 }, (_, index) => (index % 4 < 2 ? (1 + (index >> 2)) / 8 : 0.05))
  const output = new Float32Array(batch * 6 * 7)
  const session = await compileModel(fileOf(each, defaults, ssdDecoding), { threads: 2 })
  const results = await session.run({ output: floatTensor([batch, 6, 7], output) })
  await session.release()
  const expected = decodeDetections(output.subarray(0, 42), defaults)
  expect(expected).toHaveLength(12)
  const data = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data]))
  expectSame(detectionsOf(data as never), [expected, expected, expected])
})
