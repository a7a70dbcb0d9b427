import { describe, expect, test } from "vitest"
import { LearnlossError } from "../../../errors.ts"
import { floatTensor, intTensor, type Tensor } from "../../../graph/tensor.ts"
import { createRng } from "../../../random/rng.ts"
import { type WrittenAttribute, writeOnnxModel } from "../../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../../read-model.ts"
import { viewNode } from "../node-view.ts"
import { allCases } from "../rules/all-cases.test-suite.ts"
import { drawn, expectSameNumbers, type OpCase, runOriginal, written } from "../rules/op-case.test-suite.ts"
import { foldCases } from "./fold-cases.test-suite.ts"
import { foldRules } from "./index.ts"

function folded(op: string, bytes: Uint8Array, inputs: readonly (Tensor | undefined)[]): readonly Tensor[] {
  const model = decodeOnnxModel(bytes, "case.onnx")
  return foldRules[op]!(inputs, viewNode("case.onnx", model.opset, model.nodes[0]!))
}

const cases = Object.keys(foldRules).map(
  (op) => [op, [...(allCases[op] ?? []), ...(foldCases[op] ?? [])]] as [string, readonly OpCase[]],
)

for (const [op, list] of cases) {
  describe(`folding ${op}`, () => {
    for (const [index, opCase] of list.entries()) {
      test.each(opCase.opsets)(`gives ONNX Runtime's numbers, case ${index} at opset %i`, async (opset) => {
        const bytes = written(op, opset, opCase)
        const feeds = drawn(opCase, createRng(`${op} ${index}`))
        const inputs = opCase.inputs.map((input, position) =>
          input.kind === "stored" ? input.tensor : feeds.get(`in${position}`),
        )
        const expected = await runOriginal(bytes, feeds)
        const actual = folded(op, bytes, inputs)
        expect(actual.length).toBe(expected.length)
        for (const [position, tensor] of actual.entries()) expectSameNumbers(tensor, expected[position]!, 1e-5)
      })
    }
  })
}

/** What a fold rule says of a node that it refuses. */
function refusal(op: string, inputs: readonly Tensor[], attributes: Record<string, WrittenAttribute> = {}): unknown {
  const names = inputs.map((_, position) => `in${position}`)
  const bytes = writeOnnxModel({
    opset: 18,
    nodes: [{ op, inputs: names, outputs: ["out"], attributes }],
    inputs: names.map((name) => ({ name })),
    outputs: ["out"],
  })
  try {
    return folded(op, bytes, inputs)
  } catch (error) {
    return error instanceof LearnlossError ? error.code : error
  }
}

describe("folding", () => {
  test("every fold rule has a case", () => {
    for (const [op, list] of cases) expect(list.length, op).toBeGreaterThan(0)
  })

  const huge = 2 ** 40
  test.each<[string, readonly Tensor[], Record<string, WrittenAttribute>?]>([
    ["ConstantOfShape", [intTensor([2], [huge, 4])]],
    ["ConstantOfShape", [intTensor([2], [-1, 4])]],
    ["Expand", [intTensor([], [1]), intTensor([1], [huge])]],
    ["Tile", [intTensor([1], [1]), intTensor([1], [huge])]],
    ["Tile", [intTensor([1], [1]), intTensor([1], [-2])]],
    ["Range", [intTensor([], [0]), intTensor([], [huge]), intTensor([], [1])]],
    ["Range", [intTensor([], [0]), intTensor([], [4]), intTensor([], [0])]],
    ["Pad", [intTensor([1], [1]), intTensor([2], [huge, 0])]],
    ["OneHot", [intTensor([1], [1]), intTensor([], [huge]), intTensor([2], [0, 1])]],
    ["Pow", [intTensor([], [7]), intTensor([], [huge])]],
    ["Concat", [intTensor([0, huge], []), intTensor([0, huge], [])], { axis: 1 }],
    ["Concat", [intTensor([1], [7]), intTensor([], [7])], { axis: 0 }],
    ["Gather", [intTensor([1], [7]), floatTensor([1])]],
    ["Div", [intTensor([], [7]), intTensor([], [0])]],
    ["Mod", [intTensor([], [7]), intTensor([], [0])]],
    ["Gather", [intTensor([2], [7, 8]), intTensor([], [2])]],
    ["GatherND", [intTensor([2], [7, 8]), intTensor([1, 2], [0, 0])]],
    ["Reshape", [intTensor([3], [7, 8, 9]), intTensor([2], [2, -1])]],
    ["Transpose", [intTensor([1, 1], [7])], { perm: [0, 0] }],
    ["Squeeze", [intTensor([2], [7, 8]), intTensor([1], [0])]],
    [
      "Slice",
      [intTensor([2], [7, 8]), intTensor([1], [0]), intTensor([1], [2]), intTensor([1], [0]), intTensor([1], [0])],
    ],
    ["Add", [intTensor([2], [7, 8]), intTensor([3], [1, 2, 3])]],
    ["Add", []],
  ])("%s of what cannot be worked out is refused, case %#", (op, inputs, attributes) => {
    expect(refusal(op, inputs, attributes)).toBe("ONNX_UNSUPPORTED")
  })
})
