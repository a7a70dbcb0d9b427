import type { RunConfig } from "@learnloss/contract"
import type { Rng } from "@learnloss/engine"
import type { AnyDataset, ResolveOptions, TrialOptions } from "@learnloss/learn"
import type { WrittenReport } from "../report/write-report.ts"
import type { DrawFound, DrawPicked } from "./picked-pictures.ts"

/** What opening a data set is told and tells. */
export interface OpenOptions {
  readonly task: RunConfig["task"]
  readonly imageSize: number
  readonly rng: Rng
  readonly defects: RunConfig["defects"]
  readonly decodes: boolean
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
  readonly onDefect: (defect: { readonly file: string; readonly reason: string }) => void
}

/** What an experiment is put together from; tests put in parts that train nothing. */
export interface ExperimentParts {
  readonly openDataset: (spec: string, options: OpenOptions) => Promise<AnyDataset>
  /** Puts a data set that is not on this machine into the data folder. */
  readonly fetchDataset: (name: string) => Promise<unknown>
  readonly shapePool: (dataset: AnyDataset, pool: RunConfig["pool"], rng: Rng) => AnyDataset
  /** Makes sure that this machine has a device, before anything is written. */
  readonly requireDevice: (device: RunConfig["engine"]["device"]) => Promise<void>
  readonly resolveRun: (
    config: RunConfig,
    dataset: AnyDataset,
    say: (line: string) => void,
    options: Pick<ResolveOptions, "onMeasure">,
  ) => Promise<RunConfig>
  readonly runTrial: (options: TrialOptions) => Promise<void>
  readonly drawPicked: DrawPicked
  readonly drawFound: DrawFound
  readonly writeReport: (folders: readonly string[]) => Promise<WrittenReport>
}
