import { formatCount, formatP, formatPercent, plural } from "./format.ts"
import type { PairedDifference } from "./statistics.ts"
import type { RunSummary, StrategySummary } from "./summary.ts"

/** Differences below this many percentage points print as 0.0 and are called level. */
const levelPoints = 0.05

/** Says in plain words what came out, whichever way it went: a headline, a paragraph for each strategy, then caveats. */
export function verdict(summary: RunSummary): string[] {
  const others = summary.strategies.filter((each) => each.strategy !== "random")
  const compared = others.flatMap((each) => each.againstRandom?.finalValue ?? [])
  const paragraphs = [
    ranked(summary),
    ...others.map((each) => aboutStrategy(each, summary).join(" ")).filter((text) => text !== ""),
  ]
  if (compared.length > 1 && compared.some((difference) => difference.p <= 0.05)) {
    paragraphs.push(`The p-values are not corrected for ${compared.length} comparisons with random.`)
  }
  for (const { strategy, unfinishedTrials } of summary.strategies) {
    if (unfinishedTrials > 0) {
      const verbs = unfinishedTrials === 1 ? "has not finished and does" : "have not finished and do"
      paragraphs.push(`${plural(unfinishedTrials, "trial")} of ${strategy} ${verbs} not count here.`)
    }
  }
  return paragraphs
}

function ranked(summary: RunSummary): string {
  const { measure } = summary
  const [best, ...others] = summary.strategies
    .filter((each) => each.finalValue !== null)
    .sort((a, b) => (b.finalValue?.mean ?? 0) - (a.finalValue?.mean ?? 0))
  const at = `${formatCount(summary.finalLabels)} labels`
  if (best === undefined) return `No strategy has finished a trial of ${at} yet.`
  const result = ({ strategy, finalValue }: StrategySummary): string =>
    `${strategy} (${formatPercent(finalValue?.mean ?? 0)})`
  if (others.length === 0)
    return `With these settings test ${measure.title} at ${at} was ${formatPercent(best.finalValue?.mean ?? 0)} with ${best.strategy}.`
  return `With these settings ${measure.best} at ${at} was ${result(best)}, followed by ${others.map(result).join(", ")}.`
}

function aboutStrategy(each: StrategySummary, { finalLabels, measure }: RunSummary): string[] {
  const { strategy, againstRandom } = each
  const sentences: string[] = []
  const final = againstRandom?.finalValue ?? null
  if (againstRandom !== null && final !== null) {
    const margin = difference(final, " than random", "level with random")
    sentences.push(`${strategy} was ${margin} at ${formatCount(finalLabels)} labels (${chance(final)}).`)
    const { aubc } = againstRandom
    const saving = savingOf(againstRandom.labelSaving, final.mean, finalLabels, { title: measure.title, strategy })
    const parts = [
      aubc === null ? [] : [`over the whole curve it was on average ${difference(aubc, "", "level")}${errorOf(aubc)}`],
      saving,
    ]
    const text = parts.flat().join("; ")
    if (text !== "") sentences.push(`${text[0]?.toUpperCase()}${text.slice(1)}.`)
  } else if (each.finalValue !== null) {
    sentences.push(`${strategy} has no finished trial in common with random, so nothing can be said about its gain.`)
  }
  return [...sentences, ...ranking(each)]
}

function difference({ mean }: PairedDifference, than: string, level: string): string {
  const points = Math.abs(100 * mean)
  if (points < levelPoints) return level
  return `${points.toFixed(1)} points ${mean > 0 ? "better" : "worse"}${than}`
}

function chance({ pairs, p, smallestP, standardError }: PairedDifference): string {
  if (standardError === null) return "1 trial: no statement about chance"
  const judgement = p <= 0.05 ? "unlikely to be chance" : "may be chance"
  const limit = smallestP > 0.05 ? `, and ${pairs} trials cannot give a p below ${smallestP.toFixed(2)}` : ""
  const error = `± ${(100 * standardError).toFixed(1)} standard error`
  return `${error} over ${pairs} paired trials, p ${formatP(p)}: ${judgement}${limit}`
}

function errorOf({ p, standardError }: PairedDifference): string {
  return standardError === null ? "" : ` (± ${(100 * standardError).toFixed(1)} standard error, p ${formatP(p)})`
}

function savingOf(
  { randomLabels, strategyLabels }: { randomLabels: number | null; strategyLabels: number | null },
  gain: number,
  finalLabels: number,
  { title, strategy }: { title: string; strategy: string },
): string[] {
  if (Math.abs(100 * gain) < levelPoints) return []
  const needed = gain > 0 ? strategyLabels : randomLabels
  if (needed === null || needed >= finalLabels) return []
  const saved = `${formatCount(needed)} labels instead of ${formatCount(finalLabels)} (${Math.round(100 * (1 - needed / finalLabels))}% fewer)`
  return gain > 0
    ? [`it reached random's final ${title} with ${saved}`]
    : [`random reached the final ${title} of ${strategy} with ${saved}`]
}

function ranking({ rankingAccuracy, confidenceRankingAccuracy }: StrategySummary): string[] {
  if (rankingAccuracy === null) return []
  const own = `Its loss module put ${formatPercent(rankingAccuracy.mean)} of test pairs in the right order`
  if (confidenceRankingAccuracy === null) return [`${own}.`]
  const gap = rankingAccuracy.mean - confidenceRankingAccuracy.mean
  const judgement =
    Math.max(rankingAccuracy.mean, confidenceRankingAccuracy.mean) <= 0.5
      ? "neither is better than chance"
      : Math.abs(gap) < 0.005
        ? "about the same"
        : `${gap > 0 ? "the module" : "confidence"} ranks better here`
  return [
    `${own}, plain confidence of the same network ${formatPercent(confidenceRankingAccuracy.mean)}: ${judgement}.`,
  ]
}
