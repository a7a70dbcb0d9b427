import {
  findEmbedding,
  foldedNorm,
  foldedNormRecipe,
  frozenParameters,
  importNetwork,
  layoutOf,
  linear,
  type NetworkBuilder,
  op,
  probeShapes,
  readOnnxModel,
  requireTrainable,
  storedParameters,
  type Value,
} from "@learnloss/engine"
import type { ImageShape } from "../../data/dataset.ts"
import type { FileInput, Model, ModelOutput } from "../model.ts"
import { openFrozenPart } from "./frozen-part.ts"
import { inFileLayout, requireImageInput } from "./input.ts"
import { requireClasses, requireOutput } from "./output.ts"
import { averaged, chooseTaps, requireTap, sampleShape, tapFeatures } from "./taps.ts"
import { valueFor } from "./value-for.ts"

/** How an ONNX file is used as a network. */
export interface ImportedSettings {
  /** Path of the file. */
  readonly onnx: string
  /** Values that the loss module reads; null takes the last of each resolution. */
  readonly taps: readonly string[] | null
  /** Value taken as logits; null takes the first output, without a final Softmax. */
  readonly output: string | null
  /** Puts a new last layer in place of the file's. */
  readonly newHead: boolean
  /** Keeps the statistics of batch normalisation. */
  readonly freezeNorm: boolean
  /** Patterns of parameter names, or values up to which everything is kept. */
  readonly freeze: readonly string[]
}

/** A file that was opened as a network. */
export interface ImportedNetwork {
  readonly model: ImportedModel
  /** SHA-256 of the file. */
  readonly digest: string
  /** What was decided while opening it, in sentences. */
  readonly notes: readonly string[]
  readonly taps: readonly string[]
}

/** A network from a file; it can also be built whole under the file's own names, to be written to a file again. */
export interface ImportedModel extends Model {
  readonly whole: {
    readonly input: FileInput
    readonly outputName: string
    /** @param input images in the file's own layout */
    build(b: NetworkBuilder, input: Value): ModelOutput
  }
}

/**
 * Opens an ONNX file as a classifier for images of a shape.
 *
 * @throws LearnlossError what reading and probing it throw, `ONNX_INPUT`, `ONNX_OUTPUT`, `TAP_UNKNOWN`, `TAP_UNFIT`,
 * `FREEZE_NO_MATCH`
 */
export async function openImported(
  settings: ImportedSettings,
  data: { readonly imageShape: ImageShape; readonly classes: number },
): Promise<ImportedNetwork> {
  const { newHead, freezeNorm } = settings
  const { classes } = data
  const file = readOnnxModel(settings.onnx)
  const input = requireImageInput(file, data.imageShape)
  const probed = await probeShapes(file, { inputShapes: { [input.name]: [2, ...input.shape] } })
  const output = requireOutput(file, settings.output)
  const found = findEmbedding(file, output.logits)
  if (!newHead) requireClasses(file, output.logits, sampleShape(probed, output.logits), classes)
  const embedding = requireTap(file, probed, found, layoutOf(file, probed)(found))
  const taps = chooseTaps(file, probed, settings.taps)
  const frozen = frozenParameters(file, settings.freeze)
  const trained = new Set(
    [...storedParameters(file).values()].flatMap(({ name, kind }) =>
      kind === "parameter" && !frozen.has(name) ? [name] : [],
    ),
  )
  const wanted = newHead ? [embedding.name] : [output.logits, embedding.name]

  requireTrainable(file, probed, { trained, wanted: [...wanted, ...taps.map(({ name }) => name)] })

  const importValues = (
    b: NetworkBuilder,
    given: ReadonlyMap<string, Value>,
    batch: number,
    names: readonly string[],
  ) =>
    importNetwork(b, file, {
      wanted: names,
      given,
      batch,
      isFrozen: (name) => frozen.has(name),
      freezeNorm,
      foreign: (name, samples) => valueFor(probed, name, samples),
    })
  const assemble = (
    b: NetworkBuilder,
    given: ReadonlyMap<string, Value>,
    batch: number,
    pooled: ReadonlyMap<string, Value> = new Map(),
  ): ModelOutput => {
    const own = taps.filter(({ name }) => !pooled.has(name))
    const values = importValues(b, given, batch, [...new Set([...wanted, ...own.map(({ name }) => name)])])
    const known = (name: string) => values.get(name) as Value
    const features = averaged(known(embedding.name), embedding.layout)
    return {
      output: newHead
        ? linear(b.scope("newHead"), features, classes)
        : op.reshape(known(output.logits), [batch, classes]),
      taps: taps.map(({ name, layout }) => pooled.get(name) ?? tapFeatures(known(name), layout)),
      embedding: features,
    }
  }
  const batchOf = ({ shape }: Value) => shape[0] as number
  const whole: ImportedModel["whole"] = {
    input,
    outputName: output.name,
    build: (b, images) => assemble(b, new Map([[input.name, images]]), batchOf(images)),
  }
  const part = openFrozenPart({ model: file, input, probed, taps, wanted, frozen })
  const model: ImportedModel =
    part === undefined
      ? { whole, build: (b, [images]) => whole.build(b, inFileLayout(images, input)) }
      : {
          whole,
          frozen: part.frozen,
          build(b, inputs) {
            const { given, pooled } = part.read(inputs)
            return assemble(b, given, batchOf(inputs[0]), pooled)
          },
        }
  return {
    model,
    digest: file.digest,
    notes: [...output.notes, ...(foldedNorm(file) === "yes" ? [foldedNormRecipe] : [])],
    taps: taps.map(({ name }) => name),
  }
}
