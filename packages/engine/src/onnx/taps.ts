import type { Shape } from "../graph/tensor.ts"
import { ancestorsOf, type DataFlow, dataFlow, isFloat, type KnownShapes } from "./data-flow.ts"
import { endingValues, layerOps } from "./endings.ts"
import { findLayouts, type Layout, positionsOf } from "./layouts.ts"
import type { OnnxModel, OnnxNode } from "./model.ts"

/** A value worth reading by the loss module. */
export interface SuggestedTap {
  readonly name: string
  readonly shape: Shape
  readonly layout: Layout
}

/** A loss module gains little from more, and each costs memory. */
const mostTaps = 6
/** Taps of a network whose resolution never changes. */
const evenTaps = 4

/** Ops that move or copy numbers: what they make is a feature map that was there before. */
const movingOps = new Set([
  ...[
    "Identity",
    "Cast",
    "Dropout",
    "Transpose",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Pad",
    "Slice",
    "Split",
  ],
  ...["Expand", "Tile", "Resize", "Upsample", "Gather", "GatherND", "GatherElements", "DepthToSpace", "SpaceToDepth"],
])

const activationOps = new Set([
  ...["Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"],
  ...["Mish", "Softplus", "Softsign", "Clip", "ThresholdedRelu"],
])

interface Candidate extends SuggestedTap {
  readonly maker: OnnxNode
  readonly positions: number
  /** Whether all data run through it, so that it ends a block. */
  readonly isNeck: boolean
}

/**
 * Suggests what to tap: the last feature map of each resolution, at the end of a block where there is one; in a network of
 * tokens whose number never changes about four blocks at even distances; in a network without feature maps its hidden
 * activations.
 *
 * @param shapes of a run with any batch
 * @returns at most six taps, from input to output
 */
export function suggestTaps(model: OnnxModel, shapes: KnownShapes): SuggestedTap[] {
  const flow = dataFlow(model)
  const maps = featureMaps(model, shapes, flow)
  const grids = new Map<string, Candidate[]>()
  for (const map of maps) {
    const key = resolutionOf(map)
    grids.set(key, [...(grids.get(key) ?? []), map])
  }
  const tokens = [...grids.values()].filter((group) => group.every(isTokens))
  const [only] = tokens
  if (tokens.length === 1 && only !== undefined && grids.size > 0 && maps.at(-1) === only.at(-1)) {
    const blocks = even(blockEnds(only, shapes, flow), evenTaps)
    const before = [...grids.values()].filter((group) => group !== only && !isEmbeddingOnly(group, flow))
    return plain([...before.map(lastOf), ...blocks].slice(-mostTaps))
  }
  if (grids.size > 0) return plain(sorted([...grids.values()].map(lastOf), maps).slice(-mostTaps))
  return plain(even(hiddenActivations(model, shapes, flow), evenTaps))
}

function plain(candidates: readonly Candidate[]): SuggestedTap[] {
  return candidates.map(({ name, shape, layout }) => ({ name, shape, layout }))
}

function sorted(chosen: readonly Candidate[], order: readonly Candidate[]): Candidate[] {
  const places = new Map(order.map((candidate, index) => [candidate, index]))
  return chosen.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))
}

function isTokens({ shape, layout }: Candidate): boolean {
  return shape.length === 3 && layout === "channels-last"
}

function resolutionOf({ shape, layout }: Candidate): string {
  return (layout === "channels-first" ? shape.slice(2) : shape.slice(1, -1)).join("x")
}

/** The last that all data run through; branches may end later in the file and still hold less. */
function lastOf(group: readonly Candidate[]): Candidate {
  return (group.findLast(({ isNeck }) => isNeck) ?? group.at(-1)) as Candidate
}

/** Computed values on the way to an output that hold channels at several positions, in order. */
function featureMaps(model: OnnxModel, shapes: KnownShapes, flow: DataFlow): Candidate[] {
  const layouts = findLayouts(model, shapes, flow)
  return features(model, shapes, flow).flatMap((candidate) => {
    const layout = layouts.get(candidate.name)
    if (layout === undefined || candidate.shape.length < 3) return []
    const positions = positionsOf(candidate.shape, layout)
    return positions > 1 ? [{ ...candidate, layout, positions }] : []
  })
}

/** Everything that a layer's weights went into, up to the last layer, with one row for each sample. */
function features(model: OnnxModel, shapes: KnownShapes, flow: DataFlow): Candidate[] {
  const batch = shapes.get(model.inputs[0]?.name ?? "")?.shape[0]
  const ending = endingValues(model, flow)
  const needed = ancestorsOf(
    flow,
    model.outputs.map(({ name }) => name),
  )
  const necks = neckValues(model, shapes, flow, needed)
  const learned = new Set<string>()
  const found: Candidate[] = []
  for (const maker of model.nodes) {
    const [name = ""] = maker.outputs
    const isLayer = layerOps.has(maker.op) || maker.domain !== ""
    if (!(flow.fed.has(name) && (isLayer || flow.reads(maker).some((read) => learned.has(read))))) continue
    for (const output of maker.outputs) learned.add(output)
    const shape = shapes.get(name)?.shape
    if (shape === undefined || shape.length < 2 || shape[0] !== batch || !isFloat(shapes, name)) continue
    if (!needed.has(name) || ending.has(name) || movingOps.has(maker.op)) continue
    found.push({ name, shape, layout: "channels-first", maker, positions: 1, isNeck: necks.has(name) })
  }
  return found
}

/**
 * Values that every way from the inputs to the outputs runs through. All nodes stand before or after such a value, so
 * nothing made before it is read after it.
 */
function neckValues(
  model: OnnxModel,
  shapes: KnownShapes,
  flow: DataFlow,
  needed: ReadonlySet<string>,
): ReadonlySet<string> {
  const carries = (name: string) => flow.fed.has(name) && needed.has(name) && isFloat(shapes, name)
  const places = new Map(model.nodes.map((node, index) => [node, index]))
  const outputs = new Set(model.outputs.map(({ name }) => name))
  const lastRead = (name: string): number => {
    if (outputs.has(name)) return model.nodes.length
    const reading = (flow.readers.get(name) ?? []).filter((node) => node.outputs.some(carries))
    return Math.max(-1, ...reading.map((node) => places.get(node) ?? -1))
  }
  const necks = new Set<string>()
  let open = Math.max(-1, ...model.inputs.map(({ name }) => lastRead(name)))
  for (const [index, { outputs: made }] of model.nodes.entries()) {
    const [name, ...others] = made.filter(carries)
    if (name === undefined) continue
    if (open <= index && others.length === 0) necks.add(name)
    open = Math.max(open, ...[name, ...others].map(lastRead))
  }
  return necks
}

/** Ends of blocks in a network of tokens: sums of two computed values that all data run through. */
function blockEnds(tokens: readonly Candidate[], shapes: KnownShapes, flow: DataFlow): readonly Candidate[] {
  const necks = tokens.filter(({ isNeck }) => isNeck)
  const sums = necks.filter(({ maker, shape }) => {
    const data = maker.inputs.filter((name) => flow.fed.has(name))
    return (
      maker.op === "Add" && data.length === 2 && data.every((name) => shapes.get(name)?.shape.join() === shape.join())
    )
  })
  // Blocks of attention and a small network add twice; the second sum ends the block.
  if (sums.length >= 2) return sums.length % 2 === 0 ? sums.filter((_, index) => index % 2 === 1) : sums
  return necks.length > 0 ? necks : tokens
}

/** Whether a group is nothing but the first product that makes tokens of an image. */
function isEmbeddingOnly(group: readonly Candidate[], flow: DataFlow): boolean {
  const first = ancestorsOf(
    flow,
    group.map(({ name }) => name),
  )
  const layers = new Set([...first].map((name) => flow.makers.get(name)).filter((maker) => maker !== undefined))
  return [...layers].filter(({ op, domain }) => domain === "" && layerOps.has(op)).length <= 1
}

function hiddenActivations(model: OnnxModel, shapes: KnownShapes, flow: DataFlow): readonly Candidate[] {
  const hidden = features(model, shapes, flow).filter(({ shape }) => shape.length === 2)
  const activations = hidden.filter(({ maker }) => activationOps.has(maker.op))
  return activations.length > 0 ? activations : hidden.filter(({ maker }) => layerOps.has(maker.op))
}

/** At most `count` at even distances, the last among them. */
function even<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, index) => {
    const place = Math.round((items.length * (index + 1)) / count) - 1
    return items[place] as T
  })
}
