/** Passes on what there is to tell at most every five seconds. */
export function everyFewSeconds(tell: (done: number, total: number) => void): (done: number, total: number) => void {
  let lastAt = performance.now()
  return (done, total) => {
    if (performance.now() - lastAt < 5000) return
    lastAt = performance.now()
    tell(done, total)
  }
}
