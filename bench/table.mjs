/** @file One case's figures as a row of the table and as a line of JSON. */
import { median } from "./speed.mjs"

/**
 * Figures of one case.
 *
 * @param {object} work a case
 * @param {object} measured
 * @param {readonly number[]} measured.ours seconds or bytes, none where our side did not run
 * @param {readonly number[]} measured.peer
 * @param {number | null} [measured.flops] of one run
 * @param {number | null} [measured.limit] GFLOP/s that the machine reached at most meanwhile
 */
export function figuresOf(
  work,
  { ours, peer, flops = null, way = null, ourWay = null, checks = null, parts = null, limit = null },
) {
  const { name, kind, wanted, wantedShare = null, wantedSeconds = null } = work
  const middle = (values) => (values.length === 0 ? null : median(values))
  const sides = { ours: middle(ours), peer: middle(peer) }
  const isCompared = sides.ours !== null && sides.peer !== null
  const ratio = isCompared ? sides.peer / sides.ours : null
  const perSide = (value) => ({ ours: value(sides.ours), peer: value(sides.peer) })
  const gflops = flops === null ? null : perSide((seconds) => (seconds === null ? null : flops / seconds / 1e9))
  const share =
    gflops === null || limit === null
      ? null
      : { ours: gflops.ours && gflops.ours / limit, peer: gflops.peer && gflops.peer / limit }
  return {
    name,
    kind,
    unit: kind === "memory" ? "bytes" : "seconds",
    ...sides,
    ratio,
    ratioOfBest: isCompared ? Math.min(...peer) / Math.min(...ours) : null,
    wanted,
    isMet: ratio === null || wanted === null ? null : ratio >= wanted,
    gflops,
    share,
    wantedShare,
    isShareMet: wantedShare === null || !share?.ours ? null : share.ours >= wantedShare,
    wantedSeconds,
    isInTime: wantedSeconds === null || sides.ours === null ? null : sides.ours < wantedSeconds,
    way,
    ourWay,
    flops,
    limit,
    checks,
    parts,
    all: { ours, peer },
  }
}

const columns = [
  ["case", 19],
  ["ours", 27],
  ["PyTorch", 27],
  ["ratio", 7],
  ["of best", 9],
  ["wanted", 14],
  ["GFLOP/s", 11],
  ["of limit", 13],
  ["wanted", 14],
  ["PyTorch's way", 0],
]

function tableLine(cells) {
  return cells
    .map((cell, index) => cell.padEnd(columns[index][1]))
    .join("")
    .trimEnd()
}

export const tableHead = tableLine(columns.map(([title]) => title))

/** Median with smallest and largest, e.g. `1.073 s (1.06-1.19)`. */
function figure(unit, middle, values) {
  if (middle === null) return "-"
  if (unit === "bytes") return `${(middle / 2 ** 20).toFixed(0)} MiB`
  const digits = middle < 0.1 ? 4 : 3
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${middle.toFixed(digits)} s (${least.toFixed(digits)}-${most.toFixed(digits)})`
}

/** Ours and theirs, e.g. `161 / 232`. */
function pair(values, digits) {
  if (values === null) return ""
  return [values.ours, values.peer].map((value) => (value === null ? "-" : value.toFixed(digits))).join(" / ")
}

function goal(text, isReached) {
  return isReached === null ? text : `${text} ${isReached ? "met" : "short"}`
}

/** A row of the table. */
export function tableRow(figures) {
  const {
    name,
    unit,
    ours,
    peer,
    ratio,
    ratioOfBest,
    wanted,
    gflops,
    share,
    wantedShare,
    wantedSeconds,
    way,
    ourWay,
    all,
  } = figures
  const goals =
    wantedSeconds === null
      ? goal(wanted === null ? "" : wanted.toFixed(2), figures.isMet)
      : goal(`< ${wantedSeconds} s`, figures.isInTime)
  return tableLine([
    name,
    figure(unit, ours, all.ours),
    figure(unit, peer, all.peer),
    ratio === null ? "-" : ratio.toFixed(2),
    ratioOfBest === null || all.ours.length === 1 ? "" : ratioOfBest.toFixed(2),
    goals,
    pair(gflops, 0),
    pair(share, 2),
    wantedShare === null ? "" : goal(wantedShare.toFixed(2), figures.isShareMet),
    `${way ?? ""}${ourWay === null ? "" : ` (ours: ${ourWay})`}`,
  ])
}

export const tableFoot = `ratio: PyTorch's figure over ours; above 1 we are faster, or smaller in memory; of best: of the shortest times
GFLOP/s and of limit: ours / PyTorch's, operations of the direct convolution over time, and their share of the faster side's
gemm-2048, timed beside them`
