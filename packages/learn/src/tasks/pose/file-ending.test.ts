import { compileModel, createRng, exportModel, floatTensor, Graph } from "@learnloss/engine"
import * as web from "onnxruntime-web"
import { afterAll, beforeAll, expect, test } from "vitest"
import { decodePose } from "./decode-pose.ts"
import { fileEnding } from "./file-ending.ts"

web.env.wasm.numThreads = 1

const [stacks, joints, height, width] = [2, 3, 12, 16]
const area = height * width

/** A file that takes a network's output as it is. */
const file = exportModel((batch) => {
  const graph = new Graph()
  const output = graph.input("output", "float32", [batch, stacks, joints, height, width])
  return { graph, ...fileEnding(output) }
})

/** Maps [batch, stacks, joints, height, width] with Gaussian peaks in the last stack, and noise in the others. */
function drawPeaks(batch: number) {
  const rng = createRng("peaks")
  const places = Array.from({ length: batch * joints }, () => ({
    x: 2 + (width - 5) * rng.float(),
    y: 2 + (height - 5) * rng.float(),
    peak: 0.2 + 0.7 * rng.float(),
  }))
  const output = new Float32Array(batch * stacks * joints * area)
  for (let at = 0; at < output.length; at++) {
    const map = Math.floor(at / area)
    const [image, stack, joint] = [Math.floor(map / stacks / joints), Math.floor(map / joints) % stacks, map % joints]
    const { x, y, peak } = places[image * joints + joint]!
    const [column, row] = [at % width, Math.floor((at % area) / width)]
    const gaussian = peak * Math.exp(-((column - x) ** 2 + (row - y) ** 2) / 2)
    output[at] = stack === stacks - 1 ? gaussian : rng.float()
  }
  return { places, output }
}

type Run = (output: Float32Array, batch: number) => Promise<{ joints: Float32Array; scores: Float32Array }>
const runs: Record<string, Run> = {}
const releases: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const [node, browser] = [await compileModel(file, { threads: 1 }), await web.InferenceSession.create(file)]
  const shapeOf = (batch: number) => [batch, stacks, joints, height, width]
  const read = (results: Readonly<Record<string, { readonly data: unknown }>>) => ({
    joints: results.joints!.data as Float32Array,
    scores: results.scores!.data as Float32Array,
  })
  runs.node = async (output, batch) => read(await node.run({ output: floatTensor(shapeOf(batch), output) }))
  runs.browser = async (output, batch) =>
    read(await browser.run({ output: new web.Tensor("float32", output, shapeOf(batch)) }))
  releases.push(
    () => node.release(),
    () => browser.release(),
  )
})
afterAll(async () => {
  for (const release of releases) await release()
})

test.each(["node", "browser"])("a Gaussian's middle is found between pixels (%s)", async (runtime) => {
  for (const batch of [1, 4]) {
    const { places, output } = drawPeaks(batch)
    const { joints: found, scores } = await runs[runtime]!(output, batch)
    expect(scores).toHaveLength(batch * joints)
    for (const [index, { x, y, peak }] of places.entries()) {
      expect(Math.abs(found[2 * index]! - (x + 0.5) / width)).toBeLessThan(1e-4)
      expect(Math.abs(found[2 * index + 1]! - (y + 0.5) / height)).toBeLessThan(1e-4)
      // The highest pixel lies at most half a pixel beside the peak on each axis.
      expect(scores[index]!).toBeLessThanOrEqual(peak + 1e-6)
      expect(scores[index]!).toBeGreaterThan(peak * Math.exp(-0.26))
    }
  }
})

/** Maps that a network may give at its worst: noise of both signs, peaks at edges and corners, plateaus, and nothing at all. */
function drawOddMaps(batch: number): Float32Array {
  const rng = createRng("odd maps")
  const output = Float32Array.from({ length: batch * stacks * joints * area }, (_, at) => {
    const image = Math.floor(at / (stacks * joints * area))
    if (image % 4 === 0) return rng.normal()
    if (image % 4 === 1) return Math.round(2 * rng.float()) / 2
    return image % 4 === 2 ? 0 : 1e-3 * rng.float()
  })
  for (let map = 0; map < batch * stacks * joints; map++) {
    const image = Math.floor(map / (stacks * joints))
    if (image % 4 === 3) output[map * area + [0, width - 1, area - width, area - 1, 5, 2 * width][map % 6]!] = 0.9
  }
  return output
}

test.each(["node", "browser"])(
  "the file finds what a run's decoding finds in maps of any kind (%s)",
  async (runtime) => {
    const batch = 12
    const output = drawOddMaps(batch)
    const found = await runs[runtime]!(output, batch)
    for (let image = 0; image < batch; image++) {
      const start = (image * stacks + stacks - 1) * joints * area
      const expected = decodePose(output.subarray(start, start + joints * area), { joints, height, width })
      for (const [joint, { x, y, score }] of expected.joints.entries()) {
        const at = image * joints + joint
        expect(Math.abs(found.joints[2 * at]! - x)).toBeLessThan(1e-5)
        expect(Math.abs(found.joints[2 * at + 1]! - y)).toBeLessThan(1e-5)
        expect(found.scores[at]).toBe(score)
      }
    }
  },
)
