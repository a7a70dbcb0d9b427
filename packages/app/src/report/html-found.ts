import { formatCount } from "./format.ts"
import { pictureFigure } from "./html-picked.ts"
import { html, type Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import { strategiesIn } from "./summary.ts"
import { wordsOf } from "./task-words.ts"

/** What each strategy's network found in the same few test images, of its first trial so that the page stays small. */
export function foundSection({ foundPictures, cycles, runs }: MergedRuns): Markup | [] {
  const strategies = strategiesIn(foundPictures)
  if (strategies.length === 0) return []
  const { samples, foundHeading, foundNote } = wordsOf(runs)
  return html`<h2>${foundHeading}</h2>
<p class="soft">The same ${samples} for every strategy, drawn at random. Left what a person marked, right what the network found after
the last cycle ${foundNote}.</p>
${strategies.map((strategy) => {
  const own = foundPictures.filter((picture) => picture.strategy === strategy)
  const trial = Math.min(...own.map((picture) => picture.trial))
  const shown = own.filter((picture) => picture.trial === trial)
  return html`<details open><summary>${strategy} (trial ${trial})</summary>
<div class="found">${shown.map((picture) => {
    const record = cycles.find((each) => isOf(each, picture))
    const labels = record === undefined ? "" : ` (${formatCount(record.labels)} labels)`
    return pictureFigure(picture, `after cycle ${picture.cycle}${labels}`)
  })}</div></details>`
})}`
}

interface Placed {
  readonly strategy: string
  readonly trial: number
  readonly cycle: number
}

function isOf(a: Placed, b: Placed): boolean {
  return a.strategy === b.strategy && a.trial === b.trial && a.cycle === b.cycle
}
