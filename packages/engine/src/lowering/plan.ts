import { LearnlossError } from "../errors.ts"
import { forwardLowerings } from "./forward.ts"
import { inferenceLowerings } from "./inference.ts"
import { inputGradientLowerings } from "./input-gradient.ts"
import { type ConvProduct, type Lowering, type ProductKind, productKey } from "./product.ts"
import { weightGradientLowerings } from "./weight-gradient.ts"

/** Every known way to compute each kind of product. */
export const lowerings: { readonly [K in ProductKind]: readonly Lowering[] } = {
  forward: forwardLowerings,
  "input-gradient": inputGradientLowerings,
  "weight-gradient": weightGradientLowerings,
  inference: inferenceLowerings,
}

/** Chosen lowering by product key; products that it does not name take the first that fits. */
export type LoweringPlan = Readonly<Record<string, string>>

/** No measured choices: every product takes the first lowering that fits. */
export const fixedPlan: LoweringPlan = {}

/**
 * The lowerings that can compute a product on a processor.
 *
 * @param channelBlock block of the processor's blocked layout (`probeChannelBlock`); undefined where it has none
 */
export function possibleLowerings(product: ConvProduct, channelBlock: number | undefined): readonly Lowering[] {
  return lowerings[product.kind].filter(
    (lowering) =>
      lowering.fits(product) && (lowering.channelBlock === undefined || lowering.channelBlock === channelBlock),
  )
}

/**
 * The lowering that a plan names for a product.
 *
 * @throws LearnlossError `UNKNOWN_LOWERING` when the plan names one that does not exist or does not fit
 */
export function chosenLowering(product: ConvProduct, plan: LoweringPlan): Lowering {
  const possible = lowerings[product.kind].filter((lowering) => lowering.fits(product))
  const wanted = plan[productKey(product)]
  const chosen = wanted === undefined ? possible[0] : possible.find(({ name }) => name === wanted)
  if (chosen === undefined) {
    throw new LearnlossError("UNKNOWN_LOWERING", {
      where: `engine.lowerings: ${productKey(product)}`,
      expected: `one of ${possible.map(({ name }) => name).join(", ")}`,
      got: String(wanted),
      fix: "Set engine.lowerings to measured or fixed.",
    })
  }
  return chosen
}

/**
 * A plan that names a lowering for each of some products, and for no others: what is not chosen by the given plan is
 * written out, so that two plans can be compared.
 *
 * @throws LearnlossError `UNKNOWN_LOWERING`
 */
export function completePlan(products: readonly ConvProduct[], plan: LoweringPlan): LoweringPlan {
  return Object.fromEntries(products.map((product) => [productKey(product), chosenLowering(product, plan).name]))
}
