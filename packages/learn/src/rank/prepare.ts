import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import {
  describePlacement,
  LearnlossError,
  type Placement,
  probeShapes,
  readOnnxModel,
  requireDevice,
  runtimeVersion,
} from "@learnloss/engine"
import type { Preprocessing } from "../frozen/decode-input.ts"
import { FeatureCache, featureCacheFolder, featureCacheRoot, largeCacheNotice } from "../frozen/feature-cache.ts"
import { type FeaturePlan, type FrozenNetwork, openFrozenNetwork, planFeatures } from "../frozen/frozen-network.ts"
import { type ImageFile, listImageFiles } from "../frozen/image-files.ts"
import { batchShape, findImageInput, settlePreprocessing } from "../frozen/network-input.ts"
import { chooseTaps } from "../models/imported/taps.ts"
import type { RankOptions, RankSettings } from "./ranking.ts"
import { type LossSample, readLosses } from "./read-losses.ts"

/** Raised when rows come to hold something else for the same network and images. */
const featureFormat = 2

type Notice = (text: string) => void

/** The images with losses, and the pool without them. */
export async function findImages(
  settings: RankSettings,
  notice: Notice,
): Promise<{ readonly samples: LossSample[]; readonly pool: ImageFile[]; readonly alreadyLabeled: number }> {
  const labeled = await listImageFiles(settings.images, "--images")
  const samples = await readLosses(settings.losses, labeled.images, settings.images)
  const listing = await listImageFiles(settings.pool, "--pool")
  const known = new Set(samples.map(({ image }) => image.realPath))
  const isCopy = copiesOf(samples.map(({ image }) => image))
  const pool = listing.images.filter((image) => !known.has(image.realPath) && !isCopy(image))
  const alreadyLabeled = listing.images.length - pool.length
  if (listing.unreadFormats > 0) notice(`Left out of the pool: images of other formats (${listing.unreadFormats}).`)
  if (pool.length === 0) {
    throw new LearnlossError("POOL_EMPTY", {
      where: `--pool ${settings.pool}`,
      expected: "images without a loss",
      got: `${listing.images.length} that all stand in ${settings.losses}`,
      fix: "Give the folder of the images that are not labelled yet.",
    })
  }
  if (alreadyLabeled > 0) notice(`Left out of the pool: images that have a loss already (${alreadyLabeled}).`)
  return { samples, pool, alreadyLabeled }
}

/** Whether an image is a copy of one of these, byte for byte; only files of equal size are read. */
function copiesOf(images: readonly ImageFile[]): (image: ImageFile) => boolean {
  const bySize = new Map<number, ImageFile[]>()
  const sizeOf = ({ path }: ImageFile) => statSync(path, { throwIfNoEntry: false })?.size ?? -1
  for (const image of images) {
    const size = sizeOf(image)
    bySize.set(size, [...(bySize.get(size) ?? []), image])
  }
  const digests = new Map<ImageFile, string>()
  const digestOf = (image: ImageFile) => {
    const known = digests.get(image) ?? createHash("sha256").update(readFileSync(image.path)).digest("hex")
    digests.set(image, known)
    return known
  }
  return (image) => {
    const equal = bySize.get(sizeOf(image)) ?? []
    return equal.length > 0 && equal.some((other) => digestOf(other) === digestOf(image))
  }
}

/** A network with what is computed of it, and the cache that keeps it. */
export interface PreparedNetwork {
  readonly cache: FeatureCache
  readonly plan: FeaturePlan
  readonly preprocessing: Preprocessing
  readonly openNetwork: () => Promise<FrozenNetwork>
}

/**
 * Reads the network, settles how images enter it and what is read of it, and opens the cache of just that.
 *
 * @param images how many there are, with losses and in the pool
 */
export async function prepareNetwork(
  settings: RankSettings,
  { cacheRoot = featureCacheRoot() }: RankOptions,
  images: number,
  notice: Notice,
): Promise<PreparedNetwork> {
  const { threads, device } = settings
  await requireDevice(device, "--device")
  const model = await readOnnxModel(settings.model)
  const input = findImageInput(model, settings.input)
  const inputShapes = { [input.name]: batchShape(input, 1) }
  const shapes = await probeShapes(model, { inputShapes, threads })
  const taps = chooseTaps(model, shapes, settings.taps ?? null)
  const outputShapes = model.outputs.flatMap(({ name }) => {
    const probed = shapes.get(name)
    return probed === undefined ? [] : [probed.shape]
  })
  const { preprocessing, notice: choice } = settlePreprocessing(model, input, outputShapes, settings.input)
  const plan = planFeatures(model, shapes, taps, input.layout)
  if (settings.outputs && plan.outputs.length === 0) {
    throw new LearnlossError("NO_OUTPUTS", {
      where: "--outputs",
      expected: "an output of floats with one row for each image",
      got: model.outputs.map(({ name }) => `"${name}"`).join(", "),
      fix: "Leave --outputs out.",
    })
  }
  const described = taps.map(({ name, channels }) => `${name} (${channels})`).join(", ")
  notice(`Taps: ${described}${settings.taps === undefined ? " (chosen here: --taps)" : ""}`)
  notice(choice)
  const about = {
    format: featureFormat,
    runtime: runtimeVersion,
    threads,
    // Absent for the processor, so that features from before there were other devices are found.
    ...(device === "cpu" ? {} : { device }),
    model: model.digest,
    taps: taps.map(({ name, layout }) => ({ name, layout })),
    outputs: plan.outputs.map(({ name }) => name),
    preprocessing,
  }
  const large = largeCacheNotice(images, plan.width, cacheRoot)
  if (large !== undefined) notice(large)
  const cache = FeatureCache.open(featureCacheFolder(cacheRoot, about), { width: plan.width, about })
  let isPlacementTold = device === "cpu"
  const onPlaced = (placement: Placement) => {
    if (!isPlacementTold) notice(describePlacement(placement))
    isPlacementTold = true
  }
  const machine = { threads, device, isPlacementWanted: !isPlacementTold }
  const openNetwork = () =>
    openFrozenNetwork(model, shapes, plan, { inputName: input.name, preprocessing, machine, onPlaced })
  return { cache, plan, preprocessing, openNetwork }
}
