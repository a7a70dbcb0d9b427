import {
  type CompiledModel,
  compileModel,
  cutModel,
  findFinalSoftmax,
  type OnnxModel,
  type Placement,
  type ProbedShapes,
  type SessionOptions,
  type Shape,
  sizeOf,
  type Tensor,
} from "@learnloss/engine"
import type { Tap } from "../models/imported/taps.ts"
import type { Preprocessing } from "./decode-input.ts"
import { batchShape } from "./network-input.ts"
import { type OutputStatistics, planOutputStatistics } from "./output-statistics.ts"

/** Features that belong together: those of a tap, or statistics of an output. */
export interface FeatureBlock {
  readonly name: string
  readonly kind: "tap" | "outputs"
  /** First column of the block in a row of features. */
  readonly offset: number
  readonly width: number
}

/** What is computed of a frozen network for each image. */
export interface FeaturePlan {
  readonly blocks: readonly FeatureBlock[]
  /** Columns of a row. */
  readonly width: number
  readonly taps: readonly Tap[]
  readonly outputs: readonly { readonly name: string; readonly statistics: OutputStatistics }[]
}

/**
 * Plans the features of a network: its taps, and statistics of every output that has a row for each sample. Statistics are
 * part of every plan, whoever reads them: they cost little, and what reads them later finds them in the cache.
 */
export function planFeatures(
  model: OnnxModel,
  shapes: ProbedShapes,
  taps: readonly Tap[],
  layout: Preprocessing["layout"],
): FeaturePlan {
  const outputs = model.outputs.flatMap(({ name }) => {
    const probed = shapes.get(name)
    if (probed?.batchAxis !== 0 || !["float32", "float64"].includes(probed.dataType)) return []
    const statistics = planOutputStatistics(probed.shape.slice(1), layout, findFinalSoftmax(model, name)?.op)
    return statistics === undefined ? [] : [{ name, statistics }]
  })
  const parts = [
    ...taps.map(({ name, channels }) => ({ name, kind: "tap" as const, width: channels })),
    ...outputs.map(({ name, statistics }) => ({ name, kind: "outputs" as const, width: statistics.width })),
  ]
  let width = 0
  const blocks = parts.map((part): FeatureBlock => {
    const offset = width
    width += part.width
    return { ...part, offset }
  })
  return { blocks, width, taps, outputs }
}

/** A network that is only read. */
export interface FrozenNetwork {
  /** Images of a run, always the same, so that a result never depends on how many there were. */
  readonly batch: number
  /** Where the images of the next run belong, [batch, ...]. */
  readonly input: Float32Array | Uint8Array
  /**
   * Computes the features of the first images in `input`, which may be filled anew as soon as this was called.
   *
   * @returns [count, width]
   */
  run(count: number): Promise<Float32Array>
  release(): Promise<void>
}

export interface FrozenNetworkOptions {
  readonly inputName: string
  readonly preprocessing: Preprocessing
  /** How the network uses the machine. */
  readonly machine: SessionOptions
  /** Told after the first run, where `machine` wants it. */
  readonly onPlaced?: (placement: Placement) => void
}

/** Values of an input that are worth one run: larger batches are no faster and only take memory. */
const valuesOfRun = 2 ** 20
const mostImages = 64

/**
 * Compiles what a plan needs of a network.
 *
 * @throws LearnlossError `MODEL_NOT_COMPILED`, `ONNX_VALUE_UNKNOWN`
 */
export async function openFrozenNetwork(
  model: OnnxModel,
  shapes: ProbedShapes,
  plan: FeaturePlan,
  { inputName, preprocessing, machine, onPlaced }: FrozenNetworkOptions,
): Promise<FrozenNetwork> {
  const tapName = (index: number) => `learnloss tap ${index}`
  const outputName = (index: number) => `learnloss output ${index}`
  const bytes = cutModel(model, {
    outputs: [
      ...plan.taps.map(({ name, layout }, index) => ({ name, as: tapName(index), pool: layout })),
      ...plan.outputs.map(({ name }, index) => ({ name, as: outputName(index) })),
    ],
    batch: shapes.batch,
  })
  const compiled: CompiledModel = await compileModel(bytes, machine)
  let isPlaced = machine.isPlacementWanted !== true
  const tellPlacement = async () => {
    isPlaced = true
    const placement = await compiled.placement()
    if (placement !== null) onPlaced?.(placement)
  }
  const imageValues = sizeOf(batchShape(preprocessing, 1))
  const batch =
    shapes.batch === "fixed"
      ? shapes.batchSize
      : Math.min(mostImages, Math.max(1, Math.floor(valuesOfRun / imageValues)))
  const shape = batchShape(preprocessing, batch)
  const input = preprocessing.dataType === "uint8" ? new Uint8Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))
  return {
    batch,
    input,
    async run(count) {
      const feed =
        input instanceof Uint8Array
          ? ({ dtype: "uint8", shape, data: input } as const)
          : ({ dtype: "float32", shape, data: input } as const)
      const results = await compiled.run({ [inputName]: feed })
      if (!isPlaced) await tellPlacement()
      const rows = new Float32Array(count * plan.width)
      for (const [index, block] of plan.blocks.entries()) {
        const outputIndex = index - plan.taps.length
        const { data, shape: resultShape } = results[
          outputIndex < 0 ? tapName(index) : outputName(outputIndex)
        ] as Tensor
        const values = data as Float32Array
        const each: Shape = resultShape.slice(1)
        const size = values.length / batch
        const statistics = plan.outputs[outputIndex]?.statistics
        for (let row = 0; row < count; row++) {
          const start = row * plan.width + block.offset
          const into = rows.subarray(start, start + block.width)
          const own = values.subarray(row * size, (row + 1) * size)
          if (statistics === undefined) into.set(own)
          else statistics.write(own, each, into)
        }
      }
      return rows
    },
    release: () => compiled.release(),
  }
}
