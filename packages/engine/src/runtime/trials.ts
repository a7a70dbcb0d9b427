import { add, relu } from "../graph/build.ts"
import { encodeModel } from "../graph/codec.ts"
import { Graph, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { Device } from "../lowering/device.ts"
import { fitDevice } from "../lowering/fit-device.ts"
import type { ConvProduct, Lowering, ProductKind } from "../lowering/product.ts"
import type { OpenTrial } from "./choose-lowering.ts"
import { bind, createSession, type SessionOptions } from "./ort.ts"

/** Multiply-adds of a timed trial: enough to outlast noise, small enough that a whole network is measured in seconds. */
const trialFlops = 1e9
/** Numbers that a trial reads and writes at most: more than the fastest caches hold, or it would favour other ways. */
const trialNumbers = 4e6
const largestBlock = 16

/**
 * Prepares to time lowerings of a product on part of its batch.
 *
 * @param images how many of its samples
 */
export function createTrials(
  product: ConvProduct,
  options: SessionOptions,
  images: number = trialImages(product),
): OpenTrial {
  const part = onImages(product, images)
  return async (lowering) => {
    const { model, feeds, resultShape } = trialModel(part, lowering, options.device)
    const session = await createSession(model, { ...options, isSilent: true, restsBetweenRuns: true })
    const inputs = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, bind(tensor)]))
    const result = floatTensor(resultShape)
    const outputs = { result: bind(result) }
    const run = async () => {
      const start = performance.now()
      await session.runInto(inputs, outputs)
      return performance.now() - start
    }
    return {
      result: result.data as Float32Array,
      async warmUp() {
        const before = process.resourceUsage().minorPageFault
        const took = await run()
        const faults = process.resourceUsage().minorPageFault - before
        return { took, atLeast: Math.max(0, took - faults * faultMilliseconds()) }
      },
      run,
      release: () => session.release(),
    }
  }
}

/** Whole blocks, since some ways put the batch in the place of the channels. */
function trialImages({ inputShape, weightShape, outputShape }: ConvProduct): number {
  const [n] = inputShape as [number]
  const flops = 2 * sizeOf(outputShape) * sizeOf(weightShape.slice(1))
  const share = Math.min(trialFlops / flops, trialNumbers / (sizeOf(inputShape) + sizeOf(outputShape)))
  return Math.min(n, Math.max(1, Math.floor((n * share) / largestBlock)) * largestBlock)
}

/** The same product on part of the batch. */
function onImages(product: ConvProduct, images: number): ConvProduct {
  return {
    ...product,
    inputShape: [images, ...product.inputShape.slice(1)],
    outputShape: [images, ...product.outputShape.slice(1)],
  }
}

let faultCost: number | undefined

/**
 * Milliseconds that one new page of memory costs here: 0.0003 on some machines, 0.004 on virtual ones, where a first run
 * can take ten times as long as all later ones.
 */
function faultMilliseconds(): number {
  if (faultCost !== undefined) return faultCost
  const before = process.resourceUsage().minorPageFault
  const start = performance.now()
  const pages = new Uint8Array(2 ** 24)
  for (let at = 0; at < pages.length; at += 4096) pages[at] = 1
  const faults = process.resourceUsage().minorPageFault - before
  faultCost = faults < 1000 ? 0 : (performance.now() - start) / faults
  return faultCost
}

/** The model of a trial and what it is fed. */
interface TrialModel {
  readonly model: Uint8Array
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly resultShape: Shape
}

function trialModel(product: ConvProduct, lowering: Lowering, device: Device = "cpu"): TrialModel {
  const { kind, inputShape, weightShape, outputShape } = product
  const shapes: Readonly<Record<ProductKind, readonly [a: Shape, b: Shape, result: Shape]>> = {
    forward: [inputShape, weightShape, outputShape],
    "input-gradient": [weightShape, outputShape, inputShape],
    "weight-gradient": [inputShape, outputShape, weightShape],
    inference: [inputShape, weightShape, outputShape],
  }
  const [aShape, bShape, resultShape] = shapes[kind]
  const [first, second] = [randomTensor(aShape, 0), randomTensor(bShape, secondFactorAt)]
  const graph = new Graph()
  const a = graph.input("a", "float32", aShape)
  // As it will run there.
  const encode = (result: Value) => {
    const fitted = fitDevice(graph, { result }, device)
    return encodeModel(fitted.graph, fitted.outputs)
  }
  if (kind !== "inference") {
    const result = lowering.build(product, [a, graph.input("b", "float32", bShape)])
    return { model: encode(result), feeds: { a: first, b: second }, resultShape }
  }
  // What mostly follows in a network, and what ONNX Runtime computes together with a plain convolution.
  const bias = graph.constant(randomTensor([1, outputShape[1] as number, 1, 1], 0), "bias")
  const y = lowering.build(product, [a, graph.constant(second, "b")])
  return { model: encode(relu(add(y, bias))), feeds: { a: first }, resultShape }
}

/** Where the second factor begins in the random numbers, so that the two differ; a whole number of cache lines. */
const secondFactorAt = 16 * 1013
let random = new Float32Array(0)

/** Numbers in [-0.5, 0.5) from one array that all factors are cut from: drawing them anew takes longer than the trials. */
function randomTensor(shape: Shape, offset: number): Tensor {
  const size = sizeOf(shape)
  if (random.length < offset + size) random = drawNumbers(offset + size)
  return floatTensor(shape, random.subarray(offset, offset + size))
}

function drawNumbers(count: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(count)
  let state = 1
  for (let index = 0; index < count; index++) {
    // A linear congruential generator with the constants of Numerical Recipes: cheap, and random enough to be summed.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    numbers[index] = state / 2 ** 32 - 0.5
  }
  return numbers
}
