import { basename } from "node:path"
import type { RunConfig } from "@learnloss/contract"
import type { Spread } from "./statistics.ts"

/** A count with thousands separated by commas, whatever the machine's language. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US")
}

/** A share as percent with one decimal, e.g. `78.3%`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}

/** Mean and standard deviation in percent, e.g. `78.3 ± 0.4`; without a deviation when there is one trial. */
export function formatSpread(value: Spread | null): string {
  if (value === null) return "-"
  const mean = (100 * value.mean).toFixed(1)
  return value.std === null ? mean : `${mean} ± ${(100 * value.std).toFixed(1)}`
}

/** A difference of shares in percentage points with its sign, e.g. `+1.2`. */
export function formatPoints(difference: number): string {
  const text = (100 * difference).toFixed(1)
  return /^-?0\.0$/.test(text) ? "0.0" : difference > 0 ? `+${text}` : text
}

/** A p-value with as many digits as say something. */
export function formatP(p: number): string {
  return p < 0.001 ? "< 0.001" : `= ${p < 0.1 ? p.toFixed(3) : p.toFixed(2)}`
}

/** What a run trained, in words. */
export function formatModel({ name, width, stacks, blocks, innerTaps, onnx }: RunConfig["model"]): string {
  if (onnx !== undefined) return basename(onnx)
  const ofHourglass = name === "hourglass" ? [plural(stacks, "stack"), `${plural(blocks, "block")} a place`] : []
  return [name, `width ${width}`, ...ofHourglass, ...(innerTaps ? ["taps inside it too"] : [])].join(", ")
}

/** A noun with its count, e.g. `1 trial`, `3 trials`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`
}

/** Three digits: scores compare images of one picture only. */
export function formatScore(score: number): string {
  return Number.isFinite(score) ? String(Number(score.toPrecision(3))) : String(score)
}

/** A loss of any size so that its change can be seen: at least three digits that count, e.g. `2.303` or `0.00976`. */
export function formatLoss(loss: number): string {
  return Math.abs(loss) >= 0.1 || loss === 0 ? loss.toFixed(3) : String(Number(loss.toPrecision(3)))
}
