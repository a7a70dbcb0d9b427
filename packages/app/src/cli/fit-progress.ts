import type { RunFitOptions } from "../fit/run-fit.ts"
import { formatCount, formatLoss } from "../report/format.ts"
import type { CommandIo } from "./io.ts"
import { createMeasuringMeter } from "./measuring-meter.ts"
import { createPhaseMeter } from "./phase-meter.ts"

/** Shows on stderr how far a fit is. */
export interface FitProgress {
  readonly listeners: Pick<
    RunFitOptions,
    "onRead" | "onDefect" | "onMeasure" | "onStart" | "onNotice" | "onStep" | "onEvaluate"
  >
  close(): void
}

export function createFitProgress(io: CommandIo): FitProgress {
  const meter = createPhaseMeter(io)
  return {
    listeners: {
      onRead: (done, total) => meter.show("reading images", done, total),
      onDefect({ file, reason }) {
        meter.close()
        io.stderr(`${file}: ${reason}\n`)
      },
      onMeasure: createMeasuringMeter(meter),
      onStart({ network, fromStep }, steps) {
        meter.close()
        for (const note of network.notes) io.stderr(`${note}\n`)
        io.stderr(`The loss module reads ${network.taps.join(", ")}.\n`)
        if (fromStep > 0) io.stderr(`Going on after step ${formatCount(fromStep)} of ${formatCount(steps)}.\n`)
      },
      onNotice: (text) => io.stderr(`${text}\n`),
      onStep({ step, loss, lossPrediction, imagesPerSecond }, steps) {
        const module = lossPrediction === null ? "" : `, module ${formatLoss(lossPrediction)}`
        meter.show("step", step, steps, `loss ${formatLoss(loss)}${module}, ${formatCount(imagesPerSecond)} images/s`)
      },
      onEvaluate: (done, total) => meter.show("evaluating", done, total),
    },
    close: meter.close,
  }
}
