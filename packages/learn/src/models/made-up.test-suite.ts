import { floatTensor, type ParameterSpec, sizeOf, type Tensor } from "@learnloss/engine"
import { relativeDifference } from "@learnloss/engine/testing"
import { expect } from "vitest"

/** What `made_up` of fixtures/made_up.py gives: the position, mixed. */
export function madeUp(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, position) => {
    let x = (Math.imul(position, 0x9e3779b1) + seed) >>> 0
    for (const [factor, shift] of [
      [0x85ebca6b, 16],
      [0xc2b2ae35, 13],
      [1, 16],
    ] as const) {
      x = Math.imul(x ^ (x >>> shift), factor) >>> 0
    }
    return x / 2 ** 31 - 1
  })
}

/** What `fill` of fixtures/made_up.py gives. */
export function filled(
  specs: readonly ParameterSpec[],
  shifts: readonly (readonly [RegExp, number])[] = [],
): Map<string, Tensor> {
  const names = specs.map(({ name }) => name).toSorted()
  const made = ({ name, shape }: ParameterSpec): ((number: number) => number) => {
    if (shape.length === 4) {
      const deviation = Math.fround(Math.sqrt(6 / sizeOf(shape.slice(1))))
      return (number) => deviation * number
    }
    if (name === "L2Norm.weight") return (number) => 20 + number
    if (name.endsWith(".weight") || name.endsWith("running_var")) return (number) => 1 + Math.fround(0.25 * number)
    const shift = shifts.find(([pattern]) => pattern.test(name))?.[1]
    if (shift !== undefined) return (number) => shift * Math.sign(number) + 0.5 * number
    return (number) => Math.fround(0.1) * number
  }
  return new Map(
    specs.map((spec) => {
      const numbers = madeUp(sizeOf(spec.shape), names.indexOf(spec.name))
      return [spec.name, floatTensor(spec.shape, numbers.map(made(spec)))]
    }),
  )
}

/** Numbers at the places that `samples_of` of fixtures/made_up.py keeps. */
export function samplesOf(numbers: Float32Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => numbers[Math.floor((index * numbers.length) / count)] as number)
}

/**
 * Expects gradients of all trained parameters as a fixture has them: `gradient/NAME` is a length, the largest number and
 * samples; `whole/NAME`, where it is there, the gradient itself.
 *
 * @param found gradients by the same name
 */
export function expectGradients(
  trained: readonly ParameterSpec[],
  found: (key: string) => Float32Array,
  tensors: ReadonlyMap<string, Tensor>,
): void {
  const expected = (key: string) => tensors.get(key)?.data as Float32Array
  expect(trained.map((spec) => `gradient/${spec.name}`).toSorted()).toEqual(
    [...tensors.keys()].filter((key) => key.startsWith("gradient/")).toSorted(),
  )
  for (const spec of trained) {
    const key = `gradient/${spec.name}`
    const gradient = found(key)
    const [norm, largest, ...samples] = expected(key)
    expect(Math.hypot(...chunkNorms(gradient)) / (norm as number), `length of ${key}`).toBeCloseTo(1, 3)
    const ours = samplesOf(gradient, samples.length)
    const worst = Math.max(...ours.map((each, index) => Math.abs(each - (samples[index] as number))))
    expect(worst / (largest as number), key).toBeLessThan(1e-3)
    if (tensors.has(`whole/${spec.name}`))
      expect(relativeDifference(gradient, expected(`whole/${spec.name}`)), key).toBeLessThan(1e-3)
  }
}

function chunkNorms(numbers: Float32Array): number[] {
  const chunk = 4096
  return Array.from({ length: Math.ceil(numbers.length / chunk) }, (_, index) =>
    Math.sqrt(numbers.subarray(index * chunk, (index + 1) * chunk).reduce((sum, each) => sum + each * each, 0)),
  )
}
