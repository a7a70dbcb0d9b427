import { describe, expect, test } from "vitest"
import { encodeModel } from "../../../graph/codec.ts"
import { relativeDifference } from "../../../graph/compare.ts"
import { Graph, type Value } from "../../../graph/graph.ts"
import { floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "../../../graph/tensor.ts"
import { lower } from "../../../lowering/lower.ts"
import { fixedPlan } from "../../../lowering/plan.ts"
import { createNetworkBuilder } from "../../../nn/network.ts"
import { createRng, type Rng } from "../../../random/rng.ts"
import { createSession } from "../../../runtime/ort.ts"
import { checkGradients } from "../../../testing/finite-differences.ts"
import { type WrittenAttribute, writeOnnxModel } from "../../../testing/onnx-writer.ts"
import type { OnnxModel } from "../../model.ts"
import { decodeOnnxModel } from "../../read-model.ts"
import { importNetwork } from "../network.ts"
import { importRules } from "./index.ts"

type Draw = (rng: Rng, position: number) => number

/** An input of a case: random numbers, fixed data that are fed at every run, numbers in the file, or left out. */
export type CaseInput =
  | { readonly kind: "data"; readonly shape: Shape; readonly draw: Draw }
  | { readonly kind: "fed"; readonly tensor: Tensor }
  | { readonly kind: "stored"; readonly tensor: Tensor }
  | { readonly kind: "absent" }

/** One node as exporters write it; checked at every opset, and differentiated at the first. */
export interface OpCase {
  readonly opsets: readonly number[]
  readonly inputs: readonly CaseInput[]
  readonly attributes?: Readonly<Record<string, WrittenAttribute>>
  /** Number of outputs, 1 where it is left out. */
  readonly outputs?: number
  /** Largest relative difference from ONNX Runtime's numbers, 1e-5 where it is left out. */
  readonly tolerance?: number
  /** No finite differences: the case is about numbers that carry no gradient. */
  readonly isFlat?: boolean
}

export type OpCases = Readonly<Record<string, readonly OpCase[]>>

const normal: Draw = (rng) => rng.normal()

/** Random numbers, normal unless drawn otherwise. */
export const data = (shape: Shape, draw: Draw = normal): CaseInput => ({ kind: "data", shape, draw })
/** Whole numbers or truth values that are fed like data. */
export const fed = (tensor: Tensor): CaseInput => ({ kind: "fed", tensor })
/** A list of whole numbers stored in the file. */
export const ints = (...values: number[]): CaseInput => stored(intTensor([values.length], values))
/** A list of numbers stored in the file. */
export const floats = (...values: number[]): CaseInput =>
  stored(floatTensor([values.length], Float32Array.from(values)))
export const scalar = (value: number): CaseInput => stored(floatTensor([], Float32Array.of(value)))
export const intScalar = (value: number): CaseInput => stored(intTensor([], [value]))
export const stored = (tensor: Tensor): CaseInput => ({ kind: "stored", tensor })
export const absent: CaseInput = { kind: "absent" }
export const bools = (shape: Shape, ...values: number[]): CaseInput =>
  fed({ dtype: "bool", shape, data: Uint8Array.from(values) })

export const positive: Draw = (rng) => 0.5 + 2 * rng.float()
/** Away from zero, where many ops have a kink. */
export const awayFromZero: Draw = (rng) => (rng.float() < 0.5 ? -1 : 1) * (0.2 + rng.float())
/** At least a third apart, so that no step of the differences changes an order. */
export const distinct: Draw = (_, position) => (((position * 37) % 101) - 50) / 3
/** Between whole numbers and halves, away from both. */
export const uneven: Draw = (rng) => rng.integer(7) - 3 + 0.3

const nameOf = (position: number) => `in${position}`

/** The case as an ONNX model. */
export function written(op: string, opset: number, { inputs, attributes = {}, outputs = 1 }: OpCase): Uint8Array {
  const outputNames = Array.from({ length: outputs }, (_, position) => `out${position}`)
  return writeOnnxModel({
    opset,
    nodes: [
      {
        op,
        inputs: inputs.map((input, position) => (input.kind === "absent" ? "" : nameOf(position))),
        outputs: outputNames,
        attributes,
      },
    ],
    inputs: inputs.flatMap((input, position) => {
      if (input.kind === "data") return [{ name: nameOf(position), shape: input.shape }]
      if (input.kind !== "fed") return []
      return [{ name: nameOf(position), shape: input.tensor.shape, dtype: input.tensor.dtype }]
    }),
    outputs: outputNames,
    initializers: Object.fromEntries(
      inputs.flatMap((input, position) => (input.kind === "stored" ? [[nameOf(position), input.tensor] as const] : [])),
    ),
  })
}

/** The numbers that are fed, by the name of their input. */
export function drawn({ inputs }: OpCase, rng: Rng): ReadonlyMap<string, Tensor> {
  return new Map(
    inputs.flatMap((input, position): [string, Tensor][] => {
      if (input.kind === "fed") return [[nameOf(position), input.tensor]]
      if (input.kind !== "data") return []
      const stream = rng.child(nameOf(position))
      const numbers = Float32Array.from({ length: sizeOf(input.shape) }, (_, index) => input.draw(stream, index))
      return [[nameOf(position), floatTensor(input.shape, numbers)]]
    }),
  )
}

/** Adds the model to a graph, its weights being constants. */
export function imported(model: OnnxModel, given: ReadonlyMap<string, Value>, graph: Graph): readonly Value[] {
  const weights = new Map([...model.initializers].map(([name, tensor]) => [name, tensor.read()]))
  const batch = model.inputs[0]?.shape?.[0]
  const options = { given, batch: typeof batch === "number" ? batch : 1 }
  const wanted = model.outputs.map(({ name }) => name)
  return [...importNetwork(createNetworkBuilder(graph, weights), model, { ...options, wanted }).values()]
}

async function runImported(model: OnnxModel, feeds: ReadonlyMap<string, Tensor>): Promise<readonly Tensor[]> {
  const graph = new Graph()
  const given = new Map([...feeds].map(([name, { dtype, shape }]) => [name, graph.input(name, dtype, shape)]))
  const results = imported(model, given, graph)
  const lowered = lower(graph, Object.fromEntries(results.map((value, index) => [`y${index}`, value])), fixedPlan)
  const session = await createSession(encodeModel(lowered.graph, lowered.outputs), { threads: 1 })
  const used = new Set(lowered.graph.inputs.map(({ name }) => name))
  const outcome = await session.run(Object.fromEntries([...feeds].filter(([name]) => used.has(name))))
  await session.release()
  return results.map(({ shape, dtype }, index) => {
    const tensor = outcome[`y${index}`] as Tensor
    expect([...tensor.shape]).toEqual([...shape])
    expect(tensor.dtype).toBe(dtype)
    return tensor
  })
}

/** ONNX Runtime's outputs, in order. */
export async function runOriginal(bytes: Uint8Array, feeds: ReadonlyMap<string, Tensor>): Promise<readonly Tensor[]> {
  const session = await createSession(bytes, { threads: 1 })
  const outcome = await session.run(Object.fromEntries(feeds))
  await session.release()
  return Object.keys(outcome)
    .toSorted()
    .map((name) => outcome[name] as Tensor)
}

/** Expects type, shape and numbers to agree; whole numbers and truth values exactly. */
export function expectSameNumbers(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect([...actual.shape]).toEqual([...expected.shape])
  // The engine keeps every integer in 64 bits.
  expect(actual.dtype).toBe(expected.dtype.includes("int") ? "int64" : expected.dtype)
  if (actual.dtype === "float32") {
    const difference = relativeDifference(actual.data, expected.data as Float32Array)
    if (difference > tolerance) expect([...actual.data]).toEqual([...expected.data])
    expect(difference).toBeLessThanOrEqual(tolerance)
  } else expect(Array.from(actual.data, String)).toEqual(Array.from(expected.data, String))
}

async function expectTrueGradients(model: OnnxModel, opCase: OpCase, rng: Rng): Promise<void> {
  const dataInputs = opCase.inputs.flatMap((input, position) =>
    input.kind === "data" ? [{ ...input, name: nameOf(position) }] : [],
  )
  const { differences, analytic } = await checkGradients(
    {
      inputs: dataInputs.map(({ shape, draw }) => {
        let next = 0
        return { shape, draw: (stream) => draw(stream, next++) }
      }),
      build: (...values) => {
        const { graph } = values[0] as Value
        const given = new Map(dataInputs.map(({ name }, index) => [name, values[index] as Value]))
        for (const [position, input] of opCase.inputs.entries())
          if (input.kind === "fed") given.set(nameOf(position), graph.constant(input.tensor))
        return imported(model, given, graph).filter(({ dtype }) => dtype === "float32")
      },
    },
    rng,
  )
  for (const difference of differences) expect(difference).toBeLessThan(2e-3)
  expect(analytic.some((gradient) => gradient.some((slope) => slope !== 0))).toBe(true)
}

/** Whether a case is differentiated. */
export function isDifferentiated(op: string, { inputs, isFlat = false }: OpCase): boolean {
  return importRules[op]?.gradient === true && !isFlat && inputs.some(({ kind }) => kind === "data")
}

/** Runs every case: the imported node gives ONNX Runtime's numbers, and its gradients agree with finite differences. */
export function testOpCases(cases: OpCases): void {
  for (const [op, list] of Object.entries(cases)) {
    describe(op, () => {
      for (const [index, opCase] of list.entries()) {
        const rng = createRng(`${op} ${index}`)
        const told = JSON.stringify(opCase.attributes ?? {}, (_, each) => (typeof each === "bigint" ? `${each}` : each))
        for (const opset of opCase.opsets) {
          test(`gives ONNX Runtime's numbers at opset ${opset}, case ${index} ${told}`, async () => {
            const bytes = written(op, opset, opCase)
            const feeds = drawn(opCase, rng)
            const expected = await runOriginal(bytes, feeds)
            const actual = await runImported(decodeOnnxModel(bytes, "case.onnx"), feeds)
            expect(actual.length).toBe(expected.length)
            for (const [position, tensor] of actual.entries())
              expectSameNumbers(tensor, expected[position] as Tensor, opCase.tolerance ?? 1e-5)
          })
        }
        if (isDifferentiated(op, opCase)) {
          test(`agrees with finite differences, case ${index} ${told}`, async () => {
            const model = decodeOnnxModel(written(op, opCase.opsets[0] as number, opCase), "case.onnx")
            await expectTrueGradients(model, opCase, rng)
          })
        }
      }
    })
  }
}
