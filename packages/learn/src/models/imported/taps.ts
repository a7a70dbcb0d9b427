import { nearest } from "@learnloss/contract"
import { type Layout, LearnlossError, op, type Shape, type Value } from "@learnloss/engine"

/** A value's shape for one sample: the first axis holds `rows` rows for each sample of the batch. */
export interface SampleShape {
  readonly rows: number
  readonly rest: Shape
}

/** A value of a file that the loss module reads. */
export interface Tap {
  readonly name: string
  readonly layout: Layout
  readonly channels: number
}

/**
 * A tap's features as the loss module reads them: [B, C] as it is, [B, C, ...] as it is, and [B, ..., C] averaged over
 * its positions to [B, C].
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

/**
 * Makes a tap of a value of a file.
 *
 * @param sample undefined where the value has no batch axis or holds no float32
 * @throws LearnlossError `TAP_UNKNOWN` with the nearest name, `TAP_UNUSABLE` for a value without features of each sample
 */
export function requireTap(
  where: string,
  name: string,
  known: ReadonlyMap<string, unknown>,
  sample: SampleShape | undefined,
  layout: Layout,
): Tap {
  if (!known.has(name)) {
    const meant = nearest(name, [...known.keys()])
    throw new LearnlossError("TAP_UNKNOWN", {
      where: `${where}, taps`,
      expected: "names of values that the network computes",
      got: `"${name}"`,
      fix: `${meant === undefined ? "" : `Did you mean ${meant}? `}\`learnloss model inspect\` suggests taps.`,
    })
  }
  if (sample === undefined || sample.rows !== 1 || sample.rest.length === 0 || sample.rest.includes(0)) {
    throw new LearnlossError("TAP_UNUSABLE", {
      where: `${where}, tap "${name}"`,
      expected: "a float32 value with features for each sample, [B, C] or with more axes",
      got: sample === undefined ? "one without a batch axis" : `[${sample.rows} B, ${sample.rest.join(", ")}]`,
      fix: "`learnloss model inspect` suggests taps.",
    })
  }
  const channels = (layout === "channels-first" ? sample.rest[0] : sample.rest.at(-1)) as number
  return { name, layout, channels }
}
