import type { ConvProduct, Lowering } from "../lowering/product.ts"
import type { Measurement } from "./measurements.ts"

/** How many times as long as the fastest a lowering must have taken to count as beaten. */
const beatenBy = 2
/** Products of one family on which a lowering must have been beaten, and never come closer, to be left out of the next. */
const beatenOften = 2

/**
 * Remembers which lowerings lose by far on products that differ in their sizes alone: what would cost most of the time of
 * measuring a network.
 */
export class Hopeless {
  readonly #beaten = new Map<string, number>()

  /** Takes in what was measured of a product. */
  learn(product: ConvProduct, { milliseconds }: Measurement): void {
    const times = Object.values(milliseconds).filter((time) => time !== null)
    const best = Math.min(...times)
    for (const [name, time] of Object.entries(milliseconds)) {
      if (time === null) continue
      const key = keyOf(product, name)
      const isBeaten = time > beatenBy * best
      this.#beaten.set(key, isBeaten ? (this.#beaten.get(key) ?? 0) + 1 : Number.NEGATIVE_INFINITY)
    }
  }

  /** Lowerings that are worth timing; the first always is, as the others are compared with it. */
  without(product: ConvProduct, candidates: readonly Lowering[]): readonly Lowering[] {
    return candidates.filter(
      ({ name }, place) => place === 0 || (this.#beaten.get(keyOf(product, name)) ?? 0) < beatenOften,
    )
  }
}

function keyOf({ kind, weightShape, strides, dilations, group }: ConvProduct, name: string): string {
  const [outputs, inputs, ...kernel] = weightShape
  // With few channels other ways win.
  const isNarrow = Math.min(outputs as number, inputs as number) < 16
  return `${kind} ${kernel} ${strides} ${dilations} ${group} ${isNarrow} ${name}`
}
