import type { PhaseMeter } from "./phase-meter.ts"

/** Measuring that is over sooner goes unmentioned. */
const unmentionedMs = 1000

/** Shows on a meter how many products are measured, where this takes a moment: the first time on a machine. */
export function createMeasuringMeter(
  meter: PhaseMeter,
  now: () => number = () => performance.now(),
): (done: number, total: number) => void {
  let startedAt = now()
  return (done, total) => {
    if (done === 0) startedAt = now()
    if (now() - startedAt >= unmentionedMs) meter.show("measuring how to compute, products", done, total)
    if (done === total) meter.close()
  }
}
