import type { Device } from "@learnloss/engine"
import type { Preprocessing } from "../frozen/decode-input.ts"
import type { FeatureBlock } from "../frozen/frozen-network.ts"
import type { ImageFile } from "../frozen/image-files.ts"
import type { InputSettings } from "../frozen/network-input.ts"
import type { HeldOutFigures } from "./held-out.ts"
import type { FrozenTraining } from "./module-graph.ts"

export interface RankSettings {
  /** ONNX file of the network, which stays as it is. */
  readonly model: string
  /** CSV file with the columns `id` and `loss`. */
  readonly losses: string
  /** Folder of the images that the losses belong to. */
  readonly images: string
  /** Folder of the images to rank. */
  readonly pool: string
  /** Images of the batch. */
  readonly n: number
  /** Values of the network to read; where it is left out the network's form suggests some. */
  readonly taps?: readonly string[] | undefined
  /** Whether the module also reads statistics of the network's outputs. */
  readonly outputs: boolean
  /** Whether the batch is spread over different kinds of images. */
  readonly diverse: boolean
  readonly input: InputSettings
  readonly seed: number
  readonly threads: number
  /** What the network runs on; the loss module, which is small, stays on the processor. */
  readonly device: Device
}

export type RankPhase = "features of the losses" | "training" | "features of the pool" | "scoring"

/** What happens while a pool is ranked. */
export type RankEvent =
  | { readonly type: "progress"; readonly phase: RankPhase; readonly done: number; readonly total: number }
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "measured"; readonly heldOut: HeldOutFigures; readonly confidence: HeldOutFigures | null }

export interface RankOptions {
  readonly signal: AbortSignal
  readonly onEvent: (event: RankEvent) => void
  /** Folder of feature caches; `$LEARNLOSS_CACHE` or its default where it is left out. */
  readonly cacheRoot?: string
}

/** An image of the pool with its place. */
export interface RankedImage {
  /** From 1. */
  readonly rank: number
  readonly image: ImageFile
  readonly predictedLoss: number
}

/** What ranking a pool came to. */
export interface Ranking {
  /** Images to label next, by falling predicted loss. */
  readonly batch: readonly RankedImage[]
  /** The whole pool, by falling predicted loss. */
  readonly ranking: readonly RankedImage[]
  readonly heldOut: HeldOutFigures
  /** The same losses ranked by the network's own lack of confidence; null where no output is a row of scores. */
  readonly confidence: HeldOutFigures | null
  /** What a person must know before using the batch. */
  readonly warnings: readonly string[]
  /** What the module reads. */
  readonly blocks: readonly FeatureBlock[]
  readonly preprocessing: Preprocessing
  readonly training: FrozenTraining
  readonly counts: RankCounts
  /** Folder of the features. */
  readonly cache: string
}

export interface RankCounts {
  readonly losses: number
  readonly trainedOn: number
  readonly heldOut: number
  readonly poolImages: number
  /** Of the pool: those whose losses are known, which are left out. */
  readonly alreadyLabeled: number
  /** Of the pool: those that could not be read or computed. */
  readonly unusable: number
}
