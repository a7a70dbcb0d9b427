import { InternalError, type Rng } from "@learnloss/engine"

/**
 * The endless order in which labelled samples are trained on: permutation after permutation of 0..count-1, cut into
 * full batches, so a batch may run from the end of one permutation into the next and every batch has the same size.
 *
 * Permutation p is drawn from `rng.child("permutation/p")`: the batch of a step depends on nothing that came before, and
 * a resumed run needs no stored state.
 */
export class BatchStream {
  readonly count: number
  readonly batch: number
  readonly #rng: Rng
  #permutations = new Map<number, Uint32Array>()

  /** @param count labelled samples; @param batch samples a step, may exceed `count` */
  constructor(count: number, batch: number, rng: Rng) {
    if (count < 1 || batch < 1) throw new InternalError(`a batch stream of ${count} samples in batches of ${batch}`)
    this.count = count
    this.batch = batch
    this.#rng = rng
  }

  /** Positions in 0..count-1 of the batch of a step; steps count from 0. */
  positions(step: number): number[] {
    const first = step * this.batch
    this.#forgetBefore(Math.floor(first / this.count))
    return Array.from({ length: this.batch }, (_, index) => {
      const place = first + index
      return this.#permutation(Math.floor(place / this.count))[place % this.count] as number
    })
  }

  #permutation(number: number): Uint32Array {
    let permutation = this.#permutations.get(number)
    if (permutation === undefined) {
      permutation = Uint32Array.from(this.#rng.child(`permutation/${number}`).permutation(this.count))
      this.#permutations.set(number, permutation)
    }
    return permutation
  }

  #forgetBefore(number: number): void {
    for (const known of this.#permutations.keys()) if (known < number) this.#permutations.delete(known)
  }
}
