import type { ProbedShapes, ProbedValue } from "@learnloss/engine"

/** What a value is for a number of samples; undefined where it cannot have that many. */
export function valueFor(shapes: ProbedShapes, name: string, batch: number): ProbedValue | undefined {
  const value = shapes.get(name)
  if (value?.batchAxis === undefined) return value
  const length = ((value.shape[value.batchAxis] as number) / shapes.batchSize) * batch
  return Number.isInteger(length) ? { ...value, shape: value.shape.with(value.batchAxis, length) } : undefined
}
