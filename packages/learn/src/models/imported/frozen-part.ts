import { createHash } from "node:crypto"
import {
  cutModel,
  LearnlossError,
  type OnnxModel,
  op,
  type ProbedShapes,
  type Shape,
  splitFrozen,
  type Value,
} from "@learnloss/engine"
import type { FileInput, FrozenPart } from "../model.ts"
import { type SampleShape, sampleShape, type Tap } from "./taps.ts"

export interface FrozenPartOptions {
  readonly model: OnnxModel
  readonly input: FileInput
  readonly probed: ProbedShapes
  readonly taps: readonly Tap[]
  /** Values besides the taps that the rest of the network must reach. */
  readonly wanted: readonly string[]
  readonly frozen: ReadonlySet<string>
}

/** What a frozen part gives for a batch, as values of the graph that the rest is built in. */
export interface FrozenValues {
  /** By the names that they have in the file. */
  readonly given: ReadonlyMap<string, Value>
  /** Taps inside the frozen part, averaged over their positions, [B, C]. */
  readonly pooled: ReadonlyMap<string, Value>
}

/** A frozen part together with how its outputs are read. */
export interface OpenedFrozenPart {
  readonly frozen: FrozenPart
  read(inputs: readonly Value[]): FrozenValues
}

/** A network may call its values like inputs of the training graph, `labels` or `progress`. */
const frozenName = (name: string) => `frozen ${name}`
const pooledName = (name: string) => `${name}, averaged`

/**
 * The part of a file before its first trained parameter, as a model of its own. Taps inside it leave it averaged over
 * their positions, since the loss module reads nothing else of them.
 *
 * @returns undefined where that part has no weights, so that there is nothing to save
 */
export function openFrozenPart(options: FrozenPartOptions): OpenedFrozenPart | undefined {
  const { model, input, probed, taps, wanted, frozen } = options
  const whole = splitFrozen(model, [...wanted, ...taps.map(({ name }) => name)], frozen)
  if (!whole.hasParameters) return undefined
  const kept = splitFrozen(model, [...wanted, ...taps.filter(({ name }) => !isInside(whole, name)).map(nameOf)], frozen)
  const values = kept.boundary.map((value) => ({ ...value, sample: requireSample(model, probed, value.name) }))
  const computed = values.filter(({ isShapeOnly }) => !isShapeOnly)
  const pooledTaps = taps.filter(({ name }) => isInside(whole, name))
  const outputs = [
    ...computed.map(({ name, sample }) => ({ name: frozenName(name), shape: flatShape(sample) })),
    ...pooledTaps.map(({ name, channels }) => ({ name: pooledName(name), shape: [channels] })),
  ]
  const bytes = cutModel(model, {
    batch: probed.batch,
    outputs: [
      ...computed.map(({ name }) => ({ name, as: frozenName(name) })),
      ...pooledTaps.map(({ name, layout }) => ({ name, as: pooledName(name), pool: layout })),
    ],
  })
  const digest = createHash("sha256").update(bytes).digest("hex")
  return {
    frozen: { digest, model: bytes, input, outputs, batch: probed.batch === "fixed" ? probed.batchSize : null },
    read(inputs) {
      const batch = inputs[0]?.shape[0] as number
      const given = new Map<string, Value>()
      for (const [index, { name, sample }] of computed.entries()) {
        const fed = inputs[index] as Value
        given.set(name, op.reshape(fed, [batch * sample.rows, ...sample.rest]))
      }
      const { graph } = inputs[0] as Value
      for (const { name, sample, isShapeOnly } of values) {
        // Never fed: only its shape is read, so it is not part of what is encoded.
        if (isShapeOnly)
          given.set(name, graph.input(`shape of ${name}`, "float32", [batch * sample.rows, ...sample.rest]))
      }
      const pooled = new Map(pooledTaps.map(({ name }, index) => [name, inputs[computed.length + index] as Value]))
      return { given, pooled }
    },
  }
}

function requireSample({ where }: OnnxModel, probed: ProbedShapes, name: string): SampleShape {
  const sample = sampleShape(probed, name)
  if (sample !== undefined && probed.get(name)?.dataType === "float32") return sample
  throw new LearnlossError("FREEZE_BOUNDARY", {
    where: `${where}, value "${name}"`,
    expected: "a float32 value with a batch axis where the frozen part ends",
    got: "another kind of value",
    fix: "Freeze more or less of the network, so that the cut falls on a feature map.",
  })
}

const nameOf = ({ name }: Tap) => name

/** Whether a tap is computed by the frozen part itself. */
function isInside({ boundary }: ReturnType<typeof splitFrozen>, name: string): boolean {
  return boundary.some((value) => value.name === name && !value.isShapeOnly)
}

/** Shape for one sample; rows that several share an axis with the batch become an axis of their own. */
function flatShape({ rows, rest }: SampleShape): Shape {
  return rows === 1 ? rest : [rows, ...rest]
}
