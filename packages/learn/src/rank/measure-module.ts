import { LearnlossError, type Rng } from "@learnloss/engine"
import type { FeatureBlock, FeaturePlan } from "../frozen/frozen-network.ts"
import type { ImageFile } from "../frozen/image-files.ts"
import { type FeatureRows, standardized } from "./feature-rows.ts"
import { type HeldOutFigures, heldOutFigures, splitHeldOut } from "./held-out.ts"
import { scoreRows } from "./score-rows.ts"
import { type TrainedModule, trainModule } from "./train-module.ts"

export interface MeasureModuleOptions {
  readonly rows: FeatureRows
  /** Image and loss of each row. */
  readonly images: readonly ImageFile[]
  readonly losses: Float32Array
  readonly plan: FeaturePlan
  /** Blocks of the plan that the module reads. */
  readonly blocks: readonly FeatureBlock[]
  readonly rng: Rng
  readonly threads: number
  readonly signal: AbortSignal
  readonly onStep: (done: number, total: number) => void
}

export interface MeasuredModule {
  readonly module: TrainedModule
  readonly trainedOn: number
  readonly heldOut: HeldOutFigures
  readonly confidence: HeldOutFigures | null
}

/**
 * Trains the module on four fifths of the losses and measures it on the rest. The module that was measured is the one
 * that ranks: trained once more on all losses it might be a little better, but nobody would know how good it is.
 *
 * @throws LearnlossError `BAD_FEATURES` for images of which the network gives values that are no numbers, `INTERRUPTED`
 */
export async function measureModule(options: MeasureModuleOptions): Promise<MeasuredModule> {
  const { rows, images, losses, plan, blocks, rng } = options
  requireNumbers(rows, blocks, images)
  const { training, heldOut } = splitHeldOut(rows.count, rng.child("held-out"))
  const module = await trainModule({ ...options, positions: training, rng: rng.child("training") })
  const scores = await scoreRows({
    ...options,
    rows: standardized(rows, module.scaling),
    width: module.training.width,
    weights: module.weights,
    positions: heldOut,
  })
  const heldOutLosses = Float32Array.from(heldOut, (position) => losses[position] as number)
  const unconfidence = unconfidenceOf(rows, plan, heldOut)
  return {
    module,
    trainedOn: training.length,
    heldOut: heldOutFigures(scores, heldOutLosses),
    confidence: unconfidence === null ? null : heldOutFigures(unconfidence, heldOutLosses),
  }
}

/** What the largest probability leaves to the others: the plainest score that needs no module. */
function unconfidenceOf(rows: FeatureRows, plan: FeaturePlan, positions: readonly number[]): Float32Array | null {
  const at = plan.outputs.findIndex(({ statistics }) => statistics.hasConfidence)
  const block = plan.blocks.filter(({ kind }) => kind === "outputs")[at]
  if (block === undefined) return null
  const row = new Float32Array(rows.width)
  return Float32Array.from(positions, (position) => {
    rows.read([position], row)
    return 1 - (row[block.offset] as number)
  })
}

/** How many images an error names. */
const namedImages = 5

function requireNumbers(rows: FeatureRows, blocks: readonly FeatureBlock[], images: readonly ImageFile[]): void {
  const row = new Float32Array(rows.width)
  const wrong: string[] = []
  for (const [position, { id }] of images.entries()) {
    rows.read([position], row)
    const isNumber = blocks.every(({ offset, width }) =>
      row.subarray(offset, offset + width).every((value) => !Number.isNaN(value)),
    )
    if (!isNumber) wrong.push(id)
  }
  if (wrong.length === 0) return
  throw new LearnlossError("BAD_FEATURES", {
    where: "the network",
    expected: "numbers for every image with a loss",
    got: `values that are no numbers for ${wrong.length}: ${wrong.slice(0, namedImages).join(", ")}`,
    fix: "Check --mean and --std, or tap other values with --taps.",
  })
}
