import { readFileSync } from "node:fs"
import { formatCount } from "./format.ts"
import { html, type Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import type { CyclePicture } from "./read-run.ts"
import { strategiesIn } from "./summary.ts"
import { capitalised, wordsOf } from "./task-words.ts"

/** The contact sheets of what each strategy picked, of its first trial so that the page stays small. */
export function pickedSection(runs: MergedRuns): Markup | [] {
  const strategies = strategiesIn(runs.pictures)
  if (strategies.length === 0) return []
  const { samples } = wordsOf(runs.runs)
  return html`<h2>${capitalised(samples)} picked in each cycle</h2>
<p class="soft">The first ${samples} of each selection, highest score first, with label and score; random picks have none.</p>
${strategies.map((strategy) => {
  const own = runs.pictures.filter((picture) => picture.strategy === strategy)
  const trial = Math.min(...own.map((picture) => picture.trial))
  const shown = own.filter((picture) => picture.trial === trial)
  return html`<details open><summary>${strategy} (trial ${trial})</summary>
<div class="grid sheets">${shown.map((picture) => sheet(picture, runs))}</div></details>`
})}`
}

function sheet(picture: CyclePicture, { cycles, selections }: MergedRuns): Markup {
  const isSame = (record: { strategy: string; trial: number; cycle: number }): boolean =>
    record.strategy === picture.strategy && record.trial === picture.trial && record.cycle === picture.cycle
  const labels = cycles.find(isSame)?.labels
  const selection = selections.find(isSame)
  const place = picture.cycle === 0 ? "initial set" : `after cycle ${picture.cycle}`
  const had = labels === undefined ? "" : ` (${formatCount(labels)} labels)`
  const count = selection === undefined ? "" : `: ${formatCount(selection.ids.length)} picked`
  const caption = `${place}${had}${count}${scoreRange(selection?.scores ?? null)}`
  return pictureFigure(picture, caption)
}

/** A picture with its caption, inside the page. */
export function pictureFigure({ path, strategy }: CyclePicture, caption: string): Markup {
  const data = readFileSync(path).toString("base64")
  return html`<figure><img src="data:image/png;base64,${data}" alt="${strategy}, ${caption}">
<figcaption>${caption}</figcaption></figure>`
}

function scoreRange(scores: readonly number[] | null): string {
  if (scores === null || scores.length === 0) return ""
  const ends = [Math.min(...scores), Math.max(...scores)].map((score) => Number(score.toPrecision(3)))
  return `, scores ${ends[0]} to ${ends[1]}`
}
