import { describe, expect, test } from "vitest"
import { LearnlossError } from "../../../errors.ts"
import { Graph } from "../../../graph/graph.ts"
import { floatTensor, intTensor } from "../../../graph/tensor.ts"
import { createRng, type Rng } from "../../../random/rng.ts"
import type { WrittenAttribute } from "../../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../../read-model.ts"
import { allCases } from "./all-cases.test-suite.ts"
import {
  absent,
  bools,
  type CaseInput,
  data,
  floats,
  imported,
  ints,
  type OpCase,
  written,
} from "./op-case.test-suite.ts"

/** The code of the typed error that importing a node ends in; undefined where it is imported. */
function refusalOf(op: string, opset: number, opCase: OpCase): string | undefined {
  try {
    const model = decodeOnnxModel(written(op, opset, opCase), "case.onnx")
    const graph = new Graph()
    const given = new Map(
      model.inputs.map(({ name, dataType, shape }) => {
        const dtype = dataType === "bool" || dataType === "int64" ? dataType : "float32"
        return [name, graph.input(name, dtype, shape as readonly number[])]
      }),
    )
    imported(model, given, graph)
    return undefined
  } catch (error) {
    if (error instanceof LearnlossError) return error.code
    throw error
  }
}

const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.integer(list.length)]!
const strangeNumbers = [-1, 0, 1, 2, 3, 7, -2, 255, 2 ** 31, 2 ** 40, -(2 ** 53), 0.5, -1.5]

function strangeList(rng: Rng): readonly number[] {
  return Array.from({ length: rng.integer(6) }, () => Math.trunc(pick(rng, strangeNumbers)))
}

function strangeInput(rng: Rng): CaseInput {
  const shape = Array.from({ length: rng.integer(6) }, () => rng.integer(4))
  switch (rng.integer(5)) {
    case 0:
      return absent
    case 1:
      return ints(...strangeList(rng))
    case 2:
      return floats(...strangeList(rng))
    case 3:
      return bools([2], 0, 1)
    default:
      return data(shape)
  }
}

function strangeAttribute(rng: Rng): WrittenAttribute {
  switch (rng.integer(4)) {
    case 0:
      return { ints: strangeList(rng) }
    case 1:
      return { float: pick(rng, strangeNumbers) }
    case 2:
      return { string: pick(rng, ["", "SAME_UPPER", "linear", "cubic", "ij,jk", "add", "...", "edge", "x->", "ii->i"]) }
    default:
      return { int: Math.trunc(pick(rng, strangeNumbers)) }
  }
}

/** The case with one or two things about it changed. */
function damaged(opCase: OpCase, rng: Rng): OpCase {
  const inputs = [...opCase.inputs]
  const attributes = { ...opCase.attributes }
  const count = 1 + rng.integer(2)
  for (let change = 0; change < count; change++) {
    const names = [...Object.keys(attributes), "axis", "axes", "group", "pads", "strides", "keepdims"]
    switch (rng.integer(4)) {
      case 0:
        inputs[rng.integer(inputs.length + 1)] = strangeInput(rng)
        break
      case 1:
        inputs.length = rng.integer(inputs.length + 1)
        break
      default:
        attributes[pick(rng, names)] = strangeAttribute(rng)
    }
  }
  return { ...opCase, inputs, attributes, outputs: rng.integer(10) === 0 ? 1 + rng.integer(4) : (opCase.outputs ?? 1) }
}

describe("damaged nodes", () => {
  const perCase = 12
  const outcomes = { imported: 0, refused: 0 }
  test.each(Object.entries(allCases))("of %s are imported or end in a typed error", (op, list) => {
    const rng = createRng(`damaged ${op}`)
    for (const opCase of list) {
      for (let round = 0; round < perCase; round++) {
        const refusal = refusalOf(op, pick(rng, opCase.opsets), damaged(opCase, rng))
        outcomes[refusal === undefined ? "imported" : "refused"]++
      }
    }
  })

  test("are damaged often enough to be refused, and lightly enough to get far", () => {
    expect(Math.min(outcomes.imported, outcomes.refused)).toBeGreaterThan(1000)
  })

  const x = data([1, 2, 4, 4])
  test.each<[string, number, OpCase["inputs"], OpCase["attributes"]]>([
    ["Conv", 13, [data([1, 2, 3, 4, 5]), data([1, 2, 1, 1, 1])], {}],
    ["Conv", 13, [x, data([1, 2, 1, 1])], { kernel_shape: [3, 3] }],
    ["Conv", 13, [x, data([1, 2, 1, 1])], { pads: [0, 0, -1, 0] }],
    ["Conv", 13, [x, data([1, 2, 1, 1])], { strides: [0, 1] }],
    ["Conv", 13, [x, data([1, 2, 1, 1])], { auto_pad: "SAME" }],
    ["Conv", 13, [x, data([2, 1, 1, 1])], { group: 0 }],
    ["Conv", 13, [x, data([1, 2, 1, 1]), data([3])], {}],
    ["Conv", 13, [x], {}],
    ["MaxPool", 13, [x], {}],
    ["Reshape", 13, [x, ints(3, -1)], {}],
    ["Reshape", 13, [x, data([2])], {}],
    ["Transpose", 13, [x], { perm: [0, 0, 1, 2] }],
    ["Softmax", 13, [x], { axis: 4 }],
    ["ReduceSum", 13, [x, ints(0, 0)], {}],
    ["ScatterElements", 18, [data([3]), ints(0), data([1])], { reduction: "mul" }],
    ["ScatterND", 18, [data([3]), ints(0), data([1])], { reduction: "max" }],
    ["Gather", 13, [data([3]), ints(3)], {}],
    ["Gather", 13, [data([3]), floats(0.5)], {}],
    ["Pad", 13, [data([3]), ints(3, 0)], { mode: "reflect" }],
    ["Pad", 13, [data([3]), ints(3, 0)], { mode: "mirror" }],
    ["Resize", 13, [x, floats(), floats(1, 1, 2, 2)], { coordinate_transformation_mode: "tf_crop_and_resize" }],
    ["Resize", 18, [x, floats(), floats(1, 1, 0.5, 0.5)], { mode: "area", antialias: 1 }],
    ["Resize", 13, [x, floats(), floats(), ints(1, 2, 2 ** 19 + 1, 2 ** 19)], {}],
    ["Resize", 13, [x, floats(), floats(1, 1, 2)], {}],
    ["Resize", 13, [x, floats(), floats(), ints(1, 2, 2 ** 40, 4)], { mode: "linear" }],
    ["Resize", 13, [x], {}],
    ["Einsum", 13, [data([2, 3])], { equation: "ii->i" }],
    ["Einsum", 13, [data([2, 2])], { equation: "ij->ik" }],
    ["Split", 18, [data([4])], { num_outputs: 3 }],
    ["Clip", 13, [data([4]), ints(0)], {}],
    ["Cast", 13, [data([4])], { to: 8 }],
    ["DepthToSpace", 13, [x], { blocksize: 2 }],
    ["PRelu", 13, [data([2, 3]), data([4, 2, 3])], {}],
    ["TopK", 13, [data([4]), data([1])], {}],
    ["Celu", 13, [data([4])], { alpha: { float: 0 } }],
    ["GroupNormalization", 21, [x, data([2]), data([2])], { num_groups: 3 }],
  ])("%s at opset %i is refused by name, case %#", (op, opset, inputs, attributes = {}) => {
    const found = refusalOf(op, opset, { opsets: [], inputs, attributes })
    expect(["ONNX_GRAPH", "ONNX_UNSUPPORTED", "GRAPH_SHAPE"]).toContain(found)
  })

  test("a refusal names file, op and node, and says what can be done", () => {
    const bytes = written("Celu", 13, { opsets: [], inputs: [data([4])], attributes: { alpha: { float: 0 } } })
    const graph = new Graph()
    const run = () =>
      imported(decodeOnnxModel(bytes, "net.onnx"), new Map([["in0", graph.input("in0", "float32", [4])]]), graph)
    expect(run).toThrow(/net\.onnx, Celu node ".+": expected an alpha above zero, got 0\. Freeze/)
  })

  test("numbers that are stored and numbers that are fed both reach a rule", () => {
    const stored = { kind: "stored", tensor: floatTensor([2], Float32Array.of(1, 2)) } as const
    expect(refusalOf("Add", 13, { opsets: [], inputs: [stored, data([2])] })).toBeUndefined()
    expect(
      refusalOf("Gather", 13, { opsets: [], inputs: [data([2]), { kind: "fed", tensor: intTensor([1], [0]) }] }),
    ).toBe(undefined)
  })
})
