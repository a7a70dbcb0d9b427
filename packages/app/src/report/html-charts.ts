import type { CycleRecord } from "@learnloss/contract"
import { type ChartSize, learningCurve, liftChart, objectsCurve, rankingChart } from "./charts.ts"
import { classCountsChart } from "./class-counts.ts"
import { html, Markup } from "./markup.ts"
import type { MergedRuns } from "./merge-runs.ts"
import { predictionScatters } from "./prediction-scatter.ts"
import { type ChartSpec, renderSvg } from "./render-svg.ts"
import { measureOf } from "./summary.ts"
import { wordsOf } from "./task-words.ts"
import { timesChart } from "./times-chart.ts"

/** Sizes that a chart is drawn at, so that its text is as large on a phone as on a desk. */
const half = { width: 430, height: 270 }
const full = { width: 1000, height: 430 }
const phone = { width: 262, height: 220 }
const third = { width: 246, height: 250 }

/** All charts of the report with their headings. */
export async function chartSections(runs: MergedRuns): Promise<Markup> {
  const { cycles, predictions, trials } = runs
  const firstSeed = trials[0]?.seed
  const ofFirstSeed = new Set(trials.filter(({ seed }) => seed === firstSeed).map(({ trial }) => trial))
  const oneSeed = cycles.filter(({ trial }) => ofFirstSeed.has(trial))
  const classNote = ofFirstSeed.size < trials.length ? ` Trials of seed ${firstSeed} only.` : ""
  const { title } = measureOf(cycles)
  const words = wordsOf(runs.runs)
  const { marked, samples } = words
  const scatters = await Promise.all(
    predictionScatters(predictions, third).map(async ({ strategy, trial, cycle, floor, spec }) => {
      const svg = new Markup(await renderSvg(spec))
      return html`<figure class="chart"><h3>${strategy}</h3>${svg}
<figcaption>Trial ${trial}, cycle ${cycle}, a part of the test set.${floor === null ? "" : ` Losses below ${floor} are drawn there.`}</figcaption></figure>`
    }),
  )
  return html`<h2>Learning curve</h2>
${await figure("", `Test ${title} after each training${trials.length > 1 ? "; a band is ± 1 standard deviation over trials" : ""}.`, full, (size) => learningCurve(cycles, size, undefined, words))}
${await figure(`The same over labelled ${marked}`, `${words.effort} Each point is the mean over trials.`, full, (size) => objectsCurve(cycles, size, words))}
<h2>How well losses are predicted</h2>
<div class="grid">
${await figure("Ranking accuracy", "Share of test pairs of unequal loss put in the right order; chance is 50%. Dashed: confidence of the same network, without any module.", half, (size) => rankingChart(cycles, size, words))}
${await figure("Lift", `Mean true loss of the 5% of test ${samples} ranked highest over the mean of all; 1 is as good as picking at random.`, half, (size) => liftChart(cycles, size, words))}
</div>
${scatters.length === 0 ? [] : html`<h2>Predicted against target loss</h2><div class="grid three">${scatters}</div>`}
<h2>Labels and time</h2>
<div class="grid">
${await figure(words.counts, `With all labels of the last cycle, mean over trials, in the order of their frequency.${classNote}`, half, (size) => classCountsChart(oneSeed, size, runs.classNames, words))}
${await figure("Seconds of each cycle", `Mean over trials; select is scoring the candidates and choosing among them.${sharedNote(cycles)}`, half, (size) => timesChart(cycles, size))}
</div>`
}

function sharedNote(cycles: readonly CycleRecord[]): string {
  const leaders = [...new Set(cycles.flatMap(({ sharedWith }) => sharedWith ?? []))]
  return leaders.length === 0
    ? ""
    : ` The first cycle that others share is counted with ${leaders.join(" and ")} alone.`
}

async function figure(
  title: string,
  caption: string,
  size: ChartSize,
  draw: (size: ChartSize) => ChartSpec | null,
): Promise<Markup | []> {
  const [wide, narrow] = [draw(size), draw(phone)]
  if (wide === null || narrow === null) return []
  const heading = title === "" ? [] : html`<h3>${title}</h3>`
  return html`<figure class="chart" role="group" aria-label="${title === "" ? caption : title}">${heading}
<div class="wide">${new Markup(await renderSvg(wide))}</div>
<div class="narrow">${new Markup(await renderSvg(narrow))}</div>
<figcaption>${caption}</figcaption></figure>`
}
