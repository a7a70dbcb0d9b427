import type { AnyNode, Node, Value } from "../graph/graph.ts"
import type { OpAttributes, OpType } from "../graph/ops.ts"
import { inferOutputs } from "../graph/shape-rules/index.ts"
import type { TypedShape } from "../graph/shape-rules/rule.ts"
import { isSameShape } from "../graph/tensor.ts"
import type { Make, Simplifications } from "./simplify.ts"

/** The node that computes a value, where it is of one op. */
export function producedBy<K extends OpType>(value: Value, op: K): Node<K> | undefined {
  const node: AnyNode | undefined = value.graph.producerOf(value)
  return node?.op === op ? (node as Node as Node<K>) : undefined
}

/** What a slice takes along one axis: `count` positions from `start` on, `step` apart. */
interface Cut {
  readonly start: number
  readonly step: number
  readonly count: number
}

/** One cut for each axis of x. */
function cutsOf(attributes: OpAttributes["Slice"], x: Value): Cut[] {
  const { starts, axes, steps } = attributes
  const [y] = inferOutputs("Slice", [x], attributes, "slice") as [TypedShape]
  return x.shape.map((length, axis) => {
    const index = axes.indexOf(axis)
    if (index < 0) return { start: 0, step: 1, count: length }
    const [start, step] = [starts[index] as number, steps[index] as number]
    const first = Math.min(Math.max(start < 0 ? start + length : start, 0), step < 0 ? length - 1 : length)
    return { start: first, step, count: y.shape[axis] as number }
  })
}

function cut(x: Value, cuts: readonly Cut[], make: Make): Value {
  const axes = x.shape.flatMap((length, axis) => {
    const { start, step, count } = cuts[axis] as Cut
    return start === 0 && step === 1 && count === length ? [] : [axis]
  })
  if (axes.length === 0) return x
  const chosen = axes.map((axis) => cuts[axis] as Cut)
  return make("Slice", [x], {
    starts: chosen.map(({ start }) => start),
    // An end before the first position cannot be written as -1, which would mean the last.
    ends: chosen.map(({ start, step, count }) => {
      const end = start + (count - 1) * step + Math.sign(step)
      return end < 0 ? -(2 ** 31) : end
    }),
    axes,
    steps: chosen.map(({ step }) => step),
  })
}

/** A cut out of the whole of which an earlier cut was taken. */
function followed(first: Cut, then: Cut): Cut {
  return { start: first.start + first.step * then.start, step: first.step * then.step, count: then.count }
}

/** The part of a joined tensor in which a cut along the joined axis lies, and where that part starts. */
function partWith({ start, step, count }: Cut, axis: number, parts: readonly Value[]) {
  const last = start + (count - 1) * step
  let offset = 0
  for (const part of parts) {
    const length = part.shape[axis] as number
    const isInside = Math.min(start, last) >= offset && Math.max(start, last) < offset + length
    if (isInside) return { part, offset }
    offset += length
  }
  return undefined
}

function simplifySlice(x: Value, attributes: OpAttributes["Slice"], make: Make): Value | undefined {
  const cuts = cutsOf(attributes, x)
  if (cuts.some(({ count }) => count === 0)) return undefined
  if (cuts.every(({ step, count }, axis) => count === x.shape[axis] && (step === 1 || count === 1))) return x
  const sliced = producedBy(x, "Slice")
  if (sliced !== undefined) {
    const whole = sliced.inputs[0] as Value
    const before = cutsOf(sliced.attributes, whole)
    return cut(
      whole,
      cuts.map((then, axis) => followed(before[axis] as Cut, then)),
      make,
    )
  }
  const joined = producedBy(x, "Concat")
  if (joined === undefined) return undefined
  const { axis } = joined.attributes
  const found = partWith(cuts[axis] as Cut, axis, joined.inputs)
  if (found === undefined) return undefined
  const inPart = (each: Cut, along: number) => (along === axis ? { ...each, start: each.start - found.offset } : each)
  return cut(found.part, cuts.map(inPart), make)
}

/** Whether a permutation leaves the order of all axes longer than one as it is, and so the order of the numbers. */
function keepsOrder(perm: readonly number[], { shape }: Value): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1)
  return moved.every((axis, index) => index === 0 || axis > (moved[index - 1] as number))
}

export const movementSimplifications = {
  Identity: ([x]) => x,
  Reshape([x], { shape }, make) {
    const before = producedBy(x as Value, "Reshape")
    if (isSameShape((x as Value).shape, shape)) return x
    return before === undefined ? undefined : make("Reshape", before.inputs, { shape })
  },
  Transpose([x], { perm }, make) {
    if (keepsOrder(perm, x as Value)) {
      return make("Reshape", [x as Value], { shape: perm.map((axis) => (x as Value).shape[axis] as number) })
    }
    const before = producedBy(x as Value, "Transpose")
    if (before === undefined) return undefined
    return make("Transpose", before.inputs, { perm: perm.map((axis) => before.attributes.perm[axis] as number) })
  },
  Slice([x], attributes, make) {
    return simplifySlice(x as Value, attributes, make)
  },
  Pad([x], { pads }, make) {
    if (pads.every((length) => length === 0)) return x
    const before = producedBy(x as Value, "Pad")
    if (before === undefined || [...pads, ...before.attributes.pads].some((length) => length < 0)) return undefined
    return make("Pad", before.inputs, {
      pads: pads.map((length, index) => length + (before.attributes.pads[index] as number)),
    })
  },
  Expand([x], { shape }, make) {
    const before = producedBy(x as Value, "Expand")
    if (isSameShape((x as Value).shape, shape)) return x
    return before === undefined ? undefined : make("Expand", before.inputs, { shape })
  },
  Concat(inputs, { axis }, make) {
    if (inputs.length === 1) return inputs[0]
    const parts = inputs.flatMap((input) => {
      const before = producedBy(input, "Concat")
      return before?.attributes.axis === axis ? before.inputs : [input]
    })
    return parts.length === inputs.length ? undefined : make("Concat", parts, { axis })
  },
} as const satisfies Simplifications
