import { basename, extname, join } from "node:path"
import { type RankEvent, type Ranking, type RankOptions, type RankSettings, rankPool } from "@learnloss/learn"
import { requireWritable } from "../cli/require-writable.ts"
import { type BatchEntry, batchEntry, rankingFiles, writeRanking } from "./ranking-files.ts"

/** What `learnloss rank` came to, as `--json` prints it. */
export interface RankOutcome extends RankReport {
  readonly batch: readonly BatchEntry[]
  readonly folder: string
  readonly files: Readonly<Record<keyof typeof rankingFiles, string>>
}

/** What `report.json` holds. */
export interface RankReport
  extends Pick<Ranking, "heldOut" | "confidence" | "warnings" | "counts" | "training" | "cache"> {
  readonly settings: Omit<RankSettings, "input" | "taps"> & { readonly preprocessing: Ranking["preprocessing"] }
  /** What the module reads, and how many features of each. */
  readonly reads: readonly { readonly name: string; readonly kind: "tap" | "outputs"; readonly features: number }[]
  readonly seconds: Readonly<Record<string, number>>
}

/** Where a ranking goes unless it is told: `learnloss-rank/<network>-<time>`. */
export function defaultRankFolder(model: string, time: Date): string {
  const name = basename(model, extname(model)).replaceAll(/[^\w.-]+/g, "-")
  const [day = "", clock = ""] = time.toISOString().split("T")
  return join("learnloss-rank", `${name}-${day.replaceAll("-", "")}-${clock.slice(0, 8).replaceAll(":", "")}`)
}

/**
 * Ranks a pool and writes the batch; an earlier ranking in the folder is replaced.
 *
 * @throws LearnlossError for input that cannot be used, `INTERRUPTED`, `FILE_NOT_WRITTEN`
 */
export async function runRank(folder: string, settings: RankSettings, options: RankOptions): Promise<RankOutcome> {
  // Told now and not after minutes of work.
  requireWritable("--out", join(folder, rankingFiles.csv))
  const clock = phaseClock(options.onEvent)
  const ranking = await rankPool(settings, { ...options, onEvent: clock.onEvent })
  const { blocks, preprocessing, heldOut, confidence, warnings, counts, training, cache } = ranking
  const { input: _, taps: __, ...given } = settings
  const report: RankReport = {
    settings: { ...given, preprocessing },
    reads: blocks.map(({ name, kind, width }) => ({ name, kind, features: width })),
    heldOut,
    confidence,
    warnings,
    counts,
    training,
    cache,
    seconds: clock.seconds(),
  }
  await writeRanking(folder, ranking, report)
  const files = Object.fromEntries(
    Object.entries(rankingFiles).map(([kind, name]) => [kind, join(folder, name)]),
  ) as RankOutcome["files"]
  return { ...report, batch: ranking.batch.map(batchEntry), folder, files }
}

/** Measures how long each phase takes while its events pass through. */
function phaseClock(onEvent: (event: RankEvent) => void) {
  const start = performance.now()
  const spent: Record<string, number> = {}
  let phase = "reading"
  let since = start
  const turn = (next: string) => {
    const now = performance.now()
    spent[phase] = (spent[phase] ?? 0) + (now - since) / 1000
    phase = next
    since = now
  }
  return {
    onEvent(event: RankEvent): void {
      if (event.type === "progress" && event.phase !== phase) turn(event.phase)
      onEvent(event)
    },
    seconds(): Record<string, number> {
      turn("writing")
      const rounded = Object.entries(spent).map(([name, value]) => [name, Number(value.toFixed(2))])
      return { ...Object.fromEntries(rounded), all: Number(((performance.now() - start) / 1000).toFixed(2)) }
    },
  }
}
