import { fontFamily } from "../report/fonts.ts"
import { escapeHtml } from "../report/markup.ts"
import { sureJointScore } from "../report/shown-score.ts"
import { bodySides, type DrawnSkeleton, type HollowMeaning, sideColours } from "./skeleton-svg.ts"

/** What a colour over a picture means, or a joint that is hollow. */
export interface LegendEntry {
  readonly name: string
  readonly colour: string
  readonly isHollow?: boolean
}

/** The sides of bodies with their colours. */
export const sideLegend: readonly LegendEntry[] = bodySides.map((side) => ({ name: side, colour: sideColours[side] }))

/** What hollow joints mean, in words. */
const hollowWords = {
  hidden: "hollow: hidden",
  unsure: `hollow: score below ${sureJointScore}`,
} as const satisfies Record<HollowMeaning, string>

/** What the drawing of some people means: the sides of bodies, and each kind of hollow joint that they may have. */
export function skeletonLegend(skeletons: readonly Pick<DrawnSkeleton, "hollow">[]): LegendEntry[] {
  if (skeletons.length === 0) return []
  const meanings = new Set(skeletons.map(({ hollow }) => hollow))
  return [
    ...sideLegend,
    ...[...meanings].map((each) => ({ name: hollowWords[each], colour: ringColour, isHollow: true })),
  ]
}

const ringColour = "#9aa5b1"

/** Pixels between what stands on a sheet. */
export const gap = 10
/** Colour of letters on white. */
export const ink = "#1f2933"
const legendSize = 13
const legendHeight = 24
const letterWidth = 0.62

/** Names with a patch of their colour, in as many lines as they need. */
export function legendSvg(legend: readonly LegendEntry[], width: number) {
  let [left, line] = [gap, 0]
  const entries = legend.map(({ name: full, colour, isHollow = false }) => {
    const name = shorten(full, width - 2 * gap - 24, legendSize)
    const entryWidth = 24 + [...name].length * legendSize * letterWidth + 14
    if (left > gap && left + entryWidth > width - gap) [left, line] = [gap, line + 1]
    const top = gap + line * legendHeight
    const patch = isHollow
      ? `<circle cx="${left + 8}" cy="${top + 8}" r="6" fill="#000000" stroke="${colour}" stroke-width="3"/>`
      : `<rect x="${left}" y="${top}" width="16" height="16" fill="${colour}" stroke="#000000" stroke-opacity="0.55"/>`
    const letters = `<text x="${left + 22}" y="${top + legendSize}" font-family="${fontFamily}" font-size="${legendSize}" fill="${ink}">${escapeHtml(name)}</text>`
    left += entryWidth
    return `${patch}${letters}`
  })
  return { svg: entries.join(""), height: legend.length === 0 ? 0 : (line + 1) * legendHeight }
}

/** As much of a text as fits into a width; the end of a path says more than its start. */
export function shorten(full: string, width: number, fontSize: number): string {
  const letters = [...full.replace(/\p{Cc}/gu, " ")]
  const most = Math.max(2, Math.floor(width / (fontSize * letterWidth)))
  return letters.length > most ? `…${letters.slice(letters.length - most + 1).join("")}` : letters.join("")
}
