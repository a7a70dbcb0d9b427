import { type CycleRecord, leastRankCorrelation } from "@learnloss/contract"
import { formatCount, formatPercent } from "./format.ts"
import { html, type Markup } from "./markup.ts"
import { strategiesIn } from "./summary.ts"

/** How scoring in int8 went in a cycle, and what to do where it went badly; nothing for scoring in float32. */
export function int8Notes(record: CycleRecord): string[] {
  const { int8, int8MsPerImage = null, float32MsPerImage = null, int8ExtraSeconds = 0 } = record
  if (int8 === undefined) return []
  const { rankCorrelation, samples, topShare, topCount } = int8
  const times = [milliseconds("int8", int8MsPerImage), milliseconds("float32", float32MsPerImage)].flat()
  const agreement = `rank correlation ${rankCorrelation.toFixed(3)} with float32 on ${formatCount(samples)} candidates`
  const top = `${formatPercent(topShare)} of its highest ${formatCount(topCount)} found`
  const notes = [
    `  int8: ${[agreement, top, ...times].join(", ")}, ${int8ExtraSeconds.toFixed(1)} s to calibrate and compare`,
  ]
  if (rankCorrelation < leastRankCorrelation)
    notes.push(
      `  int8 orders candidates too differently (below ${leastRankCorrelation}): set engine.scoringPrecision to float32.`,
    )
  if (int8MsPerImage !== null && float32MsPerImage !== null && int8MsPerImage >= float32MsPerImage)
    notes.push("  int8 is no quicker than float32 here: set engine.scoringPrecision to float32.")
  return notes
}

function milliseconds(name: string, ms: number | null): string[] {
  return ms === null ? [] : [`${name} ${ms.toPrecision(2)} ms an image`]
}

/** Table of how alike int8 and float32 ordered candidates, one row a strategy; nothing where none was scored in int8. */
export function int8Section(cycles: readonly CycleRecord[]): Markup | [] {
  const scored = cycles.filter(({ int8 }) => int8 !== undefined)
  const [first] = scored
  if (first?.int8 === undefined) return []
  const { quantizedProducts, floatProducts } = first.int8
  return html`<h2>Scoring in int8</h2>
<div class="scroll"><table>
<thead><tr><th>strategy</th><th>cycles</th><th>rank correlation<br>mean</th><th>rank correlation<br>lowest</th>
<th>highest found<br>(percent)</th><th>int8<br>ms an image</th><th>float32<br>ms an image</th></tr></thead>
<tbody>${strategiesIn(scored).map((strategy) => row(strategy, scored))}</tbody>
</table></div>
<p class="soft">Candidates were scored with ${quantizedProducts} convolutions and large products on eight bits and ${floatProducts} in float32;
metrics are float32 throughout. In each cycle some candidates were scored in float32 too: Spearman's rank correlation of both scores, and the
share of those that float32 scores highest that int8 scores highest as well, as many as would be selected of them.${warning(scored)}</p>`
}

function row(strategy: string, scored: readonly CycleRecord[]): Markup {
  const own = scored.filter((record) => record.strategy === strategy)
  const correlations = own.flatMap(({ int8 }) => int8?.rankCorrelation ?? [])
  const shares = own.flatMap(({ int8 }) => int8?.topShare ?? [])
  const ms = (field: "int8MsPerImage" | "float32MsPerImage") => {
    const known = own.flatMap((record) => record[field] ?? [])
    return known.length === 0 ? "-" : mean(known).toPrecision(2)
  }
  return html`<tr><th>${strategy}</th><td>${own.length}</td><td>${mean(correlations).toFixed(3)}</td>
<td>${Math.min(...correlations).toFixed(3)}</td><td>${(100 * mean(shares)).toFixed(1)}</td>
<td>${ms("int8MsPerImage")}</td><td>${ms("float32MsPerImage")}</td></tr>`
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function warning(scored: readonly CycleRecord[]): string {
  const low = scored.filter(({ int8 }) => (int8?.rankCorrelation ?? 1) < leastRankCorrelation).length
  return low === 0
    ? ""
    : ` In ${low} of ${scored.length} cycles the correlation was below ${leastRankCorrelation}: what was selected there may differ from what float32 selects.`
}
