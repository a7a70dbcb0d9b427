/** Measures the time that an image takes, from reports of how many are done. */
export interface Pace {
  note(done: number): void
  /** From the first report to the last, so without compiling; null where there was only one. */
  msPerImage(): number | null
}

export function createPace(now: () => number = () => performance.now()): Pace {
  let first: { at: number; done: number } | undefined
  let last: { at: number; done: number } | undefined
  return {
    note(done) {
      last = { at: now(), done }
      first ??= last
    },
    msPerImage() {
      if (first === undefined || last === undefined || last.done === first.done) return null
      return (last.at - first.at) / (last.done - first.done)
    },
  }
}
