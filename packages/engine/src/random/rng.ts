import { createHash } from "node:crypto"
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64"
import { uniformInt } from "pure-rand/distribution/uniformInt"
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus"
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator"

/**
 * A seeded stream of random numbers that derives independent children by name.
 *
 * `createRng(7).child("trial/2").child("cycle/3")` and `createRng(7).child("trial/2/cycle/3")` are the same stream,
 * and neither depends on what was drawn before, so a resumed run finds its numbers again without any stored state.
 */
export interface Rng {
  /** Seed and names that led here, e.g. `7/trial/2`. */
  readonly path: string
  /** An independent stream, the same for the same path. */
  child(name: string | number): Rng
  /** Uniform in [0, 1), with 53 random bits. */
  float(): number
  /** Uniform integer in [0, limit). */
  integer(limit: number): number
  /** Normal with mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number
  /** A new uniformly shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[]
  /** The integers 0..length-1 in a uniformly random order. */
  permutation(length: number): number[]
}

class HashedRng implements Rng {
  readonly path: string
  #generator: JumpableRandomGenerator | undefined
  #spareNormal: number | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Neighbouring seeds of the generator correlate, so its state is a hash of the path and never the seed itself. */
  get #stream(): JumpableRandomGenerator {
    if (this.#generator === undefined) {
      const digest = createHash("sha256").update(this.path).digest()
      this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)))
    }
    return this.#generator
  }

  child(name: string | number): Rng {
    return new HashedRng(`${this.path}/${name}`)
  }

  float(): number {
    return uniformFloat64(this.#stream)
  }

  integer(limit: number): number {
    return uniformInt(this.#stream, 0, limit - 1)
  }

  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal
      this.#spareNormal = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()))
    const angle = 2 * Math.PI * this.float()
    this.#spareNormal = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = items.slice()
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(last + 1)
      const held = shuffled[last] as T
      shuffled[last] = shuffled[other] as T
      shuffled[other] = held
    }
    return shuffled
  }

  permutation(length: number): number[] {
    return this.shuffle(Array.from({ length }, (_, index) => index))
  }
}

/** The root stream of a seed; everything random in a run is drawn from its children. */
export function createRng(seed: number | string): Rng {
  return new HashedRng(String(seed))
}
