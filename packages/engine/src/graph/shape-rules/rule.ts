import type { OpAttributes, OpType } from "../ops.ts"
import type { DataType, Shape } from "../tensor.ts"

/** What a shape rule reads and gives. */
export interface TypedShape {
  readonly dtype: DataType
  readonly shape: Shape
}

/** Types and shapes of an op's outputs from those of its inputs; throws `Mismatch` where they do not fit. */
export type ShapeRule<K extends OpType> = (
  inputs: readonly TypedShape[],
  attributes: OpAttributes[K],
) => readonly TypedShape[]

/** Some of the rules of the vocabulary, by op. */
export type ShapeRules = { readonly [K in OpType]?: ShapeRule<K> }

/** Thrown inside rules; `inferOutputs` adds which node it was. */
export class Mismatch extends Error {
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`)
    this.expected = expected
    this.got = got
  }
}

/** A shape as messages write it. */
export function written(shape: Shape): string {
  return `[${shape.join(", ")}]`
}

/** The input at a position; refuses a node with fewer inputs. */
export function at(inputs: readonly TypedShape[], position: number): TypedShape {
  const input = inputs[position]
  if (input === undefined) throw new Mismatch(`at least ${position + 1} inputs`, `${inputs.length}`)
  return input
}

/** The length of an axis; refuses one that the shape does not have. */
export function axis(shape: Shape, index: number): number {
  const length = shape[index]
  if (length === undefined) throw new Mismatch(`an axis ${index}`, `shape ${written(shape)}`)
  return length
}

export function expectDtype(input: TypedShape, dtype: DataType): void {
  if (input.dtype !== dtype) throw new Mismatch(dtype, input.dtype)
}

export function expectRank(input: TypedShape, rank: number): void {
  if (input.shape.length !== rank) throw new Mismatch(`${rank} axes`, `shape ${written(input.shape)}`)
}

export function expectShape(input: TypedShape, shape: Shape): void {
  if (written(input.shape) !== written(shape))
    throw new Mismatch(`shape ${written(shape)}`, `shape ${written(input.shape)}`)
}

/** The output has the type and shape of the first input. */
export const unary = (inputs: readonly TypedShape[]): readonly TypedShape[] => [at(inputs, 0)]

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, index) => {
    const left = a[index - rank + a.length] ?? 1
    const right = b[index - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw new Mismatch("shapes that broadcast", `${written(a)} and ${written(b)}`)
    }
    return left === 1 ? right : left
  })
}
