import { createRng, LearnlossError, type Rng } from "@learnloss/engine"
import { extractFeatures, type ImageDefect } from "../frozen/extract-features.ts"
import type { RowHandle } from "../frozen/feature-cache.ts"
import type { ImageFile } from "../frozen/image-files.ts"
import { cachedRows } from "./cached-rows.ts"
import { chooseDiverse } from "./diverse.ts"
import { type FeatureRows, standardized } from "./feature-rows.ts"
import { type HeldOutFigures, isNoBetterThanChance } from "./held-out.ts"
import { measureModule } from "./measure-module.ts"
import { findImages, type PreparedNetwork, prepareNetwork } from "./prepare.ts"
import type { RankedImage, Ranking, RankOptions, RankPhase, RankSettings } from "./ranking.ts"
import type { LossSample } from "./read-losses.ts"
import { embedRows, type ScoreRowsOptions, scoreRows } from "./score-rows.ts"
import type { TrainedModule } from "./train-module.ts"

/** How many images a message names. */
const namedImages = 5

/** Candidates of a diverse batch for each image of it. */
const candidatesPerImage = 4

/**
 * Ranks a pool by the losses that a module predicts from a frozen network's features. Features are computed once for each
 * image and kept on disk, so what was stopped or killed goes on where it was, to the same bits.
 *
 * @throws LearnlossError for input that cannot be used, `INTERRUPTED`
 */
export async function rankPool(settings: RankSettings, options: RankOptions): Promise<Ranking> {
  const { signal, onEvent } = options
  const { threads } = settings
  const rng = createRng(settings.seed).child("rank")
  const notice = (text: string) => onEvent({ type: "notice", text })
  const warnings: string[] = []
  const warn = (text: string) => {
    warnings.push(text)
    onEvent({ type: "warning", text })
  }
  const { samples, pool, alreadyLabeled } = await findImages(settings, notice)
  const network = await prepareNetwork(settings, options, samples.length + pool.length, notice)
  const { cache, plan, preprocessing } = network
  try {
    const blocks = plan.blocks.filter(({ kind }) => kind === "tap" || settings.outputs)
    const measured = await measureModule({
      rows: await featuresOfLosses(samples, network, settings, options),
      images: samples.map(({ image }) => image),
      losses: Float32Array.from(samples, ({ loss }) => loss),
      plan,
      blocks,
      rng,
      threads,
      signal,
      onStep: (done, total) => onEvent({ type: "progress", phase: "training", done, total }),
    })
    const { module, heldOut, confidence, trainedOn } = measured
    onEvent({ type: "measured", heldOut, confidence })
    // Told before the pool is computed: who sees it may stop here.
    if (isNoBetterThanChance(heldOut)) warn(chanceWarning(settings, network, heldOut))
    if (!settings.outputs && (confidence?.rankingAccuracy ?? 0) > (heldOut.rankingAccuracy ?? 0))
      notice("The network's own confidence ranks these losses better; --outputs lets the module read it.")

    const unusable: ImageDefect[] = []
    const handles = await extract(pool, "features of the pool", network, options, (defect) => unusable.push(defect))
    const images = pool.filter((_, index) => handles[index] !== undefined)
    const rows = cachedRows(
      cache,
      handles.filter((handle) => handle !== undefined),
    )
    const ranking = await rankRows({ images, rows, module, threads, signal, onEvent, unusable })
    if (ranking.length === 0) throw nothingToRank(settings, unusable)
    if (unusable.length > 0)
      warn(`Left out of the pool: images that cannot be used (${unusable.length}): ${namesOf(unusable)}.`)
    if (ranking.length < settings.n)
      notice(`Fewer images in the pool (${ranking.length}) than wanted (${settings.n}): all of them are the batch.`)
    const batch = settings.diverse
      ? await diverseBatch({ ranking, n: settings.n, rows, module, threads, signal, rng: rng.child("diverse") })
      : ranking.slice(0, settings.n)
    const counts = {
      losses: samples.length,
      trainedOn,
      heldOut: heldOut.images,
      poolImages: pool.length + alreadyLabeled,
      alreadyLabeled,
      unusable: unusable.length,
    }
    return {
      batch,
      ranking,
      heldOut,
      confidence,
      warnings,
      blocks,
      preprocessing,
      training: module.training,
      counts,
      cache: cache.folder,
    }
  } finally {
    cache.close()
  }
}

function extract(
  images: readonly ImageFile[],
  phase: RankPhase,
  { cache, preprocessing, openNetwork }: PreparedNetwork,
  { signal, onEvent }: RankOptions,
  onDefect: (defect: ImageDefect) => void,
): Promise<(RowHandle | undefined)[]> {
  const onProgress = (done: number, total: number) => onEvent({ type: "progress", phase, done, total })
  return extractFeatures({ images, cache, openNetwork, preprocessing, signal, onDefect, onProgress })
}

async function featuresOfLosses(
  samples: readonly LossSample[],
  network: PreparedNetwork,
  settings: RankSettings,
  options: RankOptions,
): Promise<FeatureRows> {
  const broken: ImageDefect[] = []
  const images = samples.map(({ image }) => image)
  const handles = await extract(images, "features of the losses", network, options, (defect) => broken.push(defect))
  if (broken.length > 0) {
    throw new LearnlossError("BAD_IMAGE", {
      where: `--images ${settings.images}`,
      expected: "a readable image for every loss",
      got: `${broken.length} that cannot be used: ${namesOf(broken)}`,
      fix: "Replace these files, or take their lines out of the losses.",
    })
  }
  return cachedRows(
    network.cache,
    handles.filter((handle) => handle !== undefined),
  )
}

type Scoring = Pick<ScoreRowsOptions, "rows" | "threads" | "signal"> & { readonly module: TrainedModule }

function scoring({ rows, module, threads, signal }: Scoring, positions: readonly number[]): ScoreRowsOptions {
  const { blocks, scaling, weights, training } = module
  return { rows: standardized(rows, scaling), blocks, width: training.width, weights, positions, threads, signal }
}

/** All images whose score is a number, by falling score; the others are added to the unusable ones. */
async function rankRows(
  options: Scoring &
    Pick<RankOptions, "onEvent"> & { readonly images: readonly ImageFile[]; readonly unusable: ImageDefect[] },
): Promise<(RankedImage & { readonly position: number })[]> {
  const { images, unusable, onEvent } = options
  const positions = images.map((_, position) => position)
  const scores = await scoreRows({
    ...scoring(options, positions),
    onProgress: (done, total) => onEvent({ type: "progress", phase: "scoring", done, total }),
  })
  const scoreOf = (position: number) => scores[position] as number
  for (const [position, image] of images.entries()) {
    if (Number.isNaN(scoreOf(position)))
      unusable.push({ image, reason: "the network gives values that are no numbers" })
  }
  return (
    positions
      .filter((position) => !Number.isNaN(scoreOf(position)))
      // Equal scores stay in the order of their ids.
      .sort((a, b) => scoreOf(b) - scoreOf(a) || a - b)
      .map((position, index) => ({
        rank: index + 1,
        image: images[position] as ImageFile,
        predictedLoss: scoreOf(position),
        position,
      }))
  )
}

async function diverseBatch(
  options: Scoring & {
    readonly ranking: readonly (RankedImage & { readonly position: number })[]
    readonly n: number
    readonly rng: Rng
  },
): Promise<RankedImage[]> {
  const { ranking, n, rng } = options
  const candidates = ranking.slice(0, candidatesPerImage * n)
  const positions = candidates.map(({ position }) => position)
  const chosen = chooseDiverse(await embedRows(scoring(options, positions)), n, rng)
  return chosen.map((place) => candidates[place] as RankedImage)
}

function chanceWarning(settings: RankSettings, { plan }: PreparedNetwork, heldOut: HeldOutFigures): string {
  const { rankingAccuracy, interval } = heldOut
  const found =
    rankingAccuracy === null || interval === null
      ? `all ${heldOut.images} held-out losses are equal`
      : `ranking accuracy ${percent(rankingAccuracy)} on ${heldOut.images} held-out losses, which may as well be anything from ${percent(interval[0])} to ${percent(interval[1])}`
  const attempts = [
    ...(settings.outputs || plan.outputs.length === 0 ? [] : ["--outputs"]),
    "more losses, of images that the network was not trained on",
    "other --taps",
    "--mean, --std and --fit as in the network's own training",
  ]
  return `The module is not shown to rank better than chance (${found}): the batch may be worth no more than a random one. Try ${attempts.join("; ")}.`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}

function namesOf(defects: readonly ImageDefect[]): string {
  const named = defects.slice(0, namedImages).map(({ image, reason }) => `${image.id} (${reason})`)
  return `${named.join("; ")}${defects.length > namedImages ? " and others" : ""}`
}

function nothingToRank({ pool }: RankSettings, unusable: readonly ImageDefect[]): LearnlossError {
  return new LearnlossError("BAD_IMAGE", {
    where: `--pool ${pool}`,
    expected: "images that can be read",
    got: `${unusable.length} that cannot be used: ${namesOf(unusable)}`,
    fix: "Replace these files.",
  })
}
