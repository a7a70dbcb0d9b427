import { type Shape, sizeOf, type Tensor } from "../../graph/tensor.ts"
import type { OnnxNode } from "../model.ts"

/** Shapes of a network's values by their names; undefined for values that are not known. */
export type ShapeOf = (name: string) => Shape | undefined

/** Ops that are told the shape of their result in an input, which then may hold the batch of a file. */
export const fixedShapeInputs: Readonly<Record<string, number>> = { Reshape: 1, Expand: 1, Resize: 3 }

/** Ops that keep numbers in their order. */
const orderedOps = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"])

/** What of the inputs of a `Concat` has the file's batch left, where others have the graph's. */
export interface LeftRows {
  readonly axis: number
  /** The length that the axis has in the others. */
  readonly length: number
  /** Positions of the inputs. */
  readonly left: readonly number[]
}

/** Where the batch is in a value, and the length of that axis for both batches. */
interface BatchPlace {
  readonly axis: number
  readonly length: number
  readonly fileLength: number
  /** How much of the axis stands outside the batch: T where [T, B] is one axis. */
  readonly outside: number
  /** How many numbers stand outside the batch in all. */
  readonly outer: number
}

/** Follows the batch through a network that was exported for a fixed one and is imported for another. */
export class FixedBatch {
  readonly #fileBatch: number
  readonly #inFile: ShapeOf
  readonly #inGraph: ShapeOf
  /** Of values in which the batch shares an axis with something outside it. */
  readonly #outside = new Map<string, number>()

  /**
   * @param inFile shapes for the file's batch
   * @param inGraph shapes for the graph's
   */
  constructor(fileBatch: number, inFile: ShapeOf, inGraph: ShapeOf) {
    this.#fileBatch = fileBatch
    this.#inFile = inFile
    this.#inGraph = inGraph
  }

  /** The shape that a node of `fixedShapeInputs` has to be told; undefined where it is right as it is. */
  targetOf({ op, inputs, outputs }: OnnxNode): Shape | undefined {
    const [name = ""] = inputs
    const [inFile, target, place] = [this.#inFile(name), this.#inFile(outputs[0] ?? ""), this.#placeIn(name)]
    if (inFile === undefined || target === undefined || place === undefined) return undefined
    const axis = op === "Reshape" ? this.#axisAfter(target, place) : place.axis + target.length - inFile.length
    const scaled = ((target[axis ?? -1] ?? Number.NaN) / place.fileLength) * place.length
    if (axis === undefined || !Number.isInteger(scaled)) return undefined
    return op === "Reshape" || target[axis] === place.fileLength ? target.with(axis, scaled) : undefined
  }

  /** The inputs of a `Concat` that have to follow the batch and do not; undefined where none follows it. */
  leftBehind({ inputs }: OnnxNode): LeftRows | undefined {
    const [place] = inputs.flatMap((name) => this.#placeIn(name) ?? [])
    if (place === undefined) return undefined
    const { axis, length, fileLength } = place
    const left = inputs.flatMap((name, position) =>
      this.#inGraph(name)?.[axis] === fileLength && this.#inFile(name)?.[axis] === fileLength ? [position] : [],
    )
    return { axis, length, left }
  }

  /** Remembers where a node has put the batch. */
  follow({ op, inputs, outputs }: OnnxNode): void {
    const before = inputs.flatMap((name) => this.#placeIn(name) ?? [])
    for (const output of outputs) {
      const place = this.#placeIn(output)
      const source = before.find(({ length }) => orderedOps.has(op) || length === place?.length)
      if (place === undefined || source === undefined) continue
      const outside = orderedOps.has(op) ? source.outer / place.outer : source.outside
      if (Number.isInteger(outside) && outside > 1) this.#outside.set(output, outside)
    }
  }

  /**
   * Where the batch goes when numbers keep their order, so that as many stand outside it as before. A file for one sample
   * leaves several axes open: an axis of its own is taken first, then one with the batch on its outside. Features are
   * the last axis, and no batch.
   */
  #axisAfter(target: Shape, { axis, outer }: BatchPlace): number | undefined {
    const ranks = target.map((length, place): number => {
      const outside = outer / sizeOf(target.slice(0, place))
      const rest = length / outside
      if (!Number.isInteger(outside) || rest === 0 || !Number.isInteger(rest / this.#fileBatch)) return 0
      if (outside === 1 && length === this.#fileBatch) return place === axis ? 5 : 4
      if (place === target.length - 1) return 1
      return outside === 1 ? 3 : 2
    })
    const best = Math.max(...ranks)
    return best > 0 ? ranks.indexOf(best) : undefined
  }

  /** The one axis along which a value has another length than in the file is the one that the batch is in. */
  #placeIn(name: string): BatchPlace | undefined {
    const [shape, inFile] = [this.#inGraph(name), this.#inFile(name)]
    if (shape === undefined || shape.length !== inFile?.length) return undefined
    const [axis, ...others] = shape.flatMap((length, each) => (length === inFile[each] ? [] : [each]))
    if (axis === undefined || others.length > 0) return undefined
    const outside = this.#outside.get(name) ?? 1
    const outer = sizeOf(inFile.slice(0, axis)) * outside
    return { axis, length: shape[axis] as number, fileLength: inFile[axis] as number, outside, outer }
  }
}

/** Whether the parts of a tensor at all positions along an axis are the same numbers. */
export function hasEqualParts({ shape, data }: Tensor, axis: number): boolean {
  const inner = sizeOf(shape.slice(axis + 1))
  const whole = inner * (shape[axis] as number)
  return data.every((number, at) => number === data[at - (at % whole) + (at % inner)])
}
