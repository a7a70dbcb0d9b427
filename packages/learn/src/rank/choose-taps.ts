import { nearest } from "@learnloss/contract"
import { LearnlossError, type OnnxModel, type ProbedShapes, type ProbedValue, suggestTaps } from "@learnloss/engine"
import type { FrozenTap } from "../frozen/frozen-network.ts"

/**
 * The taps that the module reads: those that are named, or those that the network's form suggests.
 *
 * @param layout where the network's images have their channels
 * @throws LearnlossError `TAP_UNKNOWN` with the nearest name, `TAP_UNFIT` for a value that is no feature map with one row for
 * each image, `NO_TAPS` where nothing suggests itself
 */
export function chooseTaps(
  model: OnnxModel,
  shapes: ProbedShapes,
  names: readonly string[] | undefined,
  layout: FrozenTap["layout"],
): FrozenTap[] {
  const suggested = suggestTaps(model, shapes)
  if (names === undefined) {
    if (suggested.length > 0) return suggested.map(({ name, layout: own }) => tapOf(name, shapes, own))
    throw new LearnlossError("NO_TAPS", {
      where: model.where,
      expected: "feature maps that the module can read",
      got: "none that suggest themselves",
      fix: "Name values of the network with --taps; `learnloss model inspect` lists them.",
    })
  }
  return [...new Set(names)].map((name) => {
    requireFit(model, shapes, name)
    const rank = (shapes.get(name) as ProbedValue).shape.length
    // Three axes are tokens with their features last; maps are as the images are.
    const usual = rank === 3 ? "channels-last" : layout
    return tapOf(name, shapes, suggested.find((tap) => tap.name === name)?.layout ?? usual)
  })
}

function tapOf(name: string, shapes: ProbedShapes, layout: FrozenTap["layout"]): FrozenTap {
  const { shape } = shapes.get(name) as ProbedValue
  return { name, layout, channels: (layout === "channels-first" ? shape[1] : shape.at(-1)) as number }
}

function requireFit(model: OnnxModel, shapes: ProbedShapes, name: string): void {
  const value = shapes.get(name)
  const fits = (candidate: ProbedValue | undefined) =>
    candidate?.batchAxis === 0 && candidate.shape.length >= 2 && candidate.dataType.startsWith("float")
  if (value === undefined || model.initializers.has(name)) {
    const known = [...shapes].flatMap(([other, candidate]) =>
      fits(candidate) && !model.initializers.has(other) ? [other] : [],
    )
    const near = nearest(name, known)
    throw new LearnlossError("TAP_UNKNOWN", {
      where: `--taps ${name}`,
      expected: `a value that ${model.where} computes`,
      got: value === undefined ? "a name that nothing has" : "a stored weight",
      fix: near === undefined ? "`learnloss model inspect` lists them." : `Did you mean "${near}"?`,
    })
  }
  if (fits(value)) return
  const { dataType, shape, batchAxis } = value
  const reason =
    batchAxis === 0 ? "" : batchAxis === undefined ? ", without a batch" : `, with the batch on axis ${batchAxis}`
  throw new LearnlossError("TAP_UNFIT", {
    where: `--taps ${name}`,
    expected: "a float value [batch, channels, ...]",
    got: `${dataType} [${shape.join(", ")}]${reason}`,
    fix: "Tap a value with one row for each image; `learnloss model inspect` suggests some.",
  })
}
