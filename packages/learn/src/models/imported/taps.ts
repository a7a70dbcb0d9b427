import { nearest } from "@learnloss/contract"
import {
  type Layout,
  LearnlossError,
  layoutOf,
  type OnnxModel,
  op,
  type ProbedShapes,
  type ProbedValue,
  type Shape,
  suggestTaps,
  type Value,
} from "@learnloss/engine"

/** A value's shape for one sample: the first axis holds `rows` rows for each sample of the batch. */
export interface SampleShape {
  readonly rows: number
  readonly rest: Shape
}

/** A value inside a network that is averaged over its positions to [B, C]. */
export interface Tap {
  readonly name: string
  readonly layout: Layout
  readonly channels: number
}

/** A value's shape for one sample; undefined where it has no batch on its first axis. */
export function sampleShape(shapes: ProbedShapes, name: string): SampleShape | undefined {
  const value = shapes.get(name)
  if (value?.batchAxis !== 0) return undefined
  return { rows: (value.shape[0] as number) / shapes.batchSize, rest: value.shape.slice(1) }
}

/**
 * The taps that the loss module reads: those that are named, or those that the network's form suggests.
 *
 * @throws LearnlossError `TAP_UNKNOWN` with the nearest name, `TAP_UNFIT` for a value that has no features for each sample,
 * `NO_TAPS` where nothing suggests itself
 */
export function chooseTaps(model: OnnxModel, shapes: ProbedShapes, names: readonly string[] | null): Tap[] {
  const chosen = names ?? suggestTaps(model, shapes).map(({ name }) => name)
  if (chosen.length === 0) {
    throw new LearnlossError("NO_TAPS", {
      where: model.where,
      expected: "feature maps that the loss module can read",
      got: "none that suggest themselves",
      fix: "Name values of the network as taps; `learnloss model inspect` lists them.",
    })
  }
  const layout = layoutOf(model, shapes)
  return [...new Set(chosen)].map((name) => requireTap(model, shapes, name, layout(name)))
}

/**
 * Makes a tap of one value.
 *
 * @throws LearnlossError `TAP_UNKNOWN`, `TAP_UNFIT` as `chooseTaps`
 */
export function requireTap(model: OnnxModel, shapes: ProbedShapes, name: string, layout: Layout): Tap {
  const value = shapes.get(name)
  if (value === undefined || model.initializers.has(name)) {
    const known = [...shapes].flatMap(([other, found]) =>
      hasFeatures(shapes, other, found) && !model.initializers.has(other) ? [other] : [],
    )
    const near = nearest(name, known)
    throw new LearnlossError("TAP_UNKNOWN", {
      where: `tap "${name}"`,
      expected: `a value that ${model.where} computes`,
      got: value === undefined ? "a name that nothing has" : "a stored weight",
      fix: near === undefined ? suggestions(model, shapes) : `Did you mean "${near}"?`,
    })
  }
  if (!hasFeatures(shapes, name, value)) throw unfit(name, value)
  return { name, layout, channels: (layout === "channels-first" ? value.shape[1] : value.shape.at(-1)) as number }
}

/** How many taps a message names. */
const namedTaps = 4

function suggestions(model: OnnxModel, shapes: ProbedShapes): string {
  const names = suggestTaps(model, shapes).map(({ name }) => `"${name}"`)
  if (names.length === 0) return "`learnloss model inspect` lists what the network computes."
  const more = names.length > namedTaps ? ", ..." : ""
  return `\`learnloss model inspect\` suggests ${names.slice(0, namedTaps).join(", ")}${more}.`
}

function hasFeatures(shapes: ProbedShapes, name: string, { dataType, shape }: ProbedValue): boolean {
  return dataType.startsWith("float") && shape.length >= 2 && sampleShape(shapes, name)?.rows === 1
}

function unfit(name: string, { dataType, shape, batchAxis }: ProbedValue): LearnlossError {
  const reason =
    batchAxis === 0 ? "" : batchAxis === undefined ? ", without a batch" : `, with the batch on axis ${batchAxis}`
  return new LearnlossError("TAP_UNFIT", {
    where: `tap "${name}"`,
    expected: "a float value [batch, channels, ...] with one row for each image",
    got: `${dataType} [${shape.join(", ")}]${reason}`,
    fix: "`learnloss model inspect` suggests some.",
  })
}

/**
 * A tap's features as the loss module reads them: [B, C] and [B, C, ...] as they are, and [B, ..., C] averaged over its
 * positions to [B, C].
 */
export function tapFeatures(value: Value, layout: Layout): Value {
  return layout === "channels-last" ? averaged(value, layout) : value
}

/** The average over all positions: [B, C, ...] or [B, ..., C] to [B, C]. */
export function averaged(value: Value, layout: Layout): Value {
  const rank = value.shape.length
  if (rank === 2) return value
  const first = layout === "channels-first" ? 2 : 1
  return op.reduceMean(
    value,
    Array.from({ length: rank - 2 }, (_, index) => first + index),
  )
}
