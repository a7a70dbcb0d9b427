import { describe, expect, test } from "vitest"
import { floatTensor, type Shape } from "../../graph/tensor.ts"
import type { OnnxModel } from "../model.ts"
import { Drawing, decoded } from "./drawing.test-suite.ts"
import { frozenParameters, splitFrozen } from "./freeze.ts"
import { readFixture } from "./parity.test-suite.ts"

const weight = (...shape: Shape) => floatTensor(shape)

function model(draw: (d: Drawing) => string): OnnxModel {
  const d = new Drawing()
  const output = draw(d)
  return decoded(d.written({ opset: 17, inputs: [{ name: "x", shape: ["n", 3, 8, 8] }], outputs: [output] }))
}

/** A normalised convolution under names that begin with `name`. */
function layer(d: Drawing, x: string, name: string, inputs: number): string {
  const y = d.node("Conv", [x, d.store(`${name}.conv`, weight(4, inputs, 1, 1))], {}, `${name}/conv`)
  const parts = ["scale", "shift", "mean", "variance"].map((part) => d.store(`${name}.${part}`, weight(4)))
  return d.node("Relu", [d.node("BatchNormalization", [y, ...parts])], {}, `${name}/relu`)
}

/** Two layers, a shortcut around the second, and a classifier. */
const residual = () =>
  model((d) => {
    const stem = layer(d, "x", "stem", 3)
    const sum = d.node("Add", [layer(d, stem, "block", 4), stem], {}, "sum")
    const rows = d.node("Flatten", [d.node("GlobalAveragePool", [sum])], {}, "rows")
    return d.node("Gemm", [rows, d.store("fc.weight", weight(4, 2))], {}, "out")
  })

describe("frozen parameters", () => {
  const network = residual()

  test.each<[string[], string[]]>([
    [["fc.weight"], ["fc.weight"]],
    [["stem.*"], ["stem.conv", "stem.scale", "stem.shift"]],
    [["*.s?ale"], ["stem.scale", "block.scale"]],
    [
      ["stem.conv", "fc*"],
      ["stem.conv", "fc.weight"],
    ],
  ])("are those whose names match one of %j", (patterns, expected) => {
    expect([...frozenParameters(network, patterns)]).toEqual(expected)
  })

  test("are all that a value needs whose name is given, statistics included", () => {
    expect([...frozenParameters(network, ["stem/relu"])]).toEqual([
      "stem.conv",
      "stem.scale",
      "stem.shift",
      "stem.mean",
      "stem.variance",
    ])
  })

  test("are none without a pattern", () => {
    expect(frozenParameters(network, []).size).toBe(0)
  })

  test("are told by their whole names, in which a dot and a bracket mean themselves", () => {
    const brackets = model((d) => d.node("Conv", ["x", d.store("a[0].w(1)", weight(4, 3, 1, 1))]))
    expect([...frozenParameters(brackets, ["a[0].w(1)"])]).toEqual(["a[0].w(1)"])
    expect(() => frozenParameters(network, ["stem"])).toThrow(/FREEZE|no match/)
    expect(() => frozenParameters(network, ["stemxconv"])).toThrow(/no match/)
  })

  test("that nothing matches are a mistake, which says what there is", () => {
    expect(() => frozenParameters(network, ["backbone.*"])).toThrow(
      expect.objectContaining({
        code: "FREEZE_NO_MATCH",
        message: expect.stringMatching(/net\.onnx, freeze "backbone\.\*".*stem\.conv.*inspect/),
      }),
    )
  })

  test("cannot be statistics alone, which nobody trains", () => {
    expect(() => frozenParameters(network, ["*.mean"])).toThrow(/no match/)
  })
})

describe("the frozen part of a network", () => {
  const network = residual()
  const split = (patterns: readonly string[], wanted = ["out"], of: OnnxModel = network) =>
    splitFrozen(of, wanted, frozenParameters(of, patterns))
  const names = ({ boundary }: ReturnType<typeof split>) => boundary.map(({ name }) => name)

  test("ends where the first trained parameter is, once for all that reads it", () => {
    const found = split(["stem.*"])
    expect(found).toEqual({ boundary: [{ name: "stem/relu", isShapeOnly: false }], hasParameters: true })
  })

  test("ends in several values where a shortcut reaches over trained layers", () => {
    expect(names(split(["stem.*", "block.conv"])).toSorted()).toEqual(["block/conv", "stem/relu"])
  })

  test("is only the input where nothing is frozen, and has no parameters then", () => {
    expect(split([])).toEqual({ boundary: [{ name: "x", isShapeOnly: false }], hasParameters: false })
  })

  test("is not made longer by frozen parameters behind trained ones", () => {
    expect(split(["block.*", "fc*"])).toEqual(split([]))
  })

  test("is everything where all is frozen", () => {
    expect(split(["*"])).toEqual({ boundary: [{ name: "out", isShapeOnly: false }], hasParameters: true })
  })

  test("gives out wanted values that lie inside it", () => {
    expect(names(split(["stem.*"], ["out", "stem/conv"])).toSorted()).toEqual(["stem/conv", "stem/relu"])
  })

  test("holds what is done to the input before the first layer", () => {
    const scaled = model((d) => {
      const centred = d.node("Sub", ["x", d.store("mean", weight(3, 1, 1))], {}, "centred")
      return layer(d, centred, "stem", 3)
    })
    expect(split([], ["stem/relu"], scaled)).toEqual({
      boundary: [{ name: "centred", isShapeOnly: false }],
      hasParameters: false,
    })
  })

  test("may hold ops that nothing trains through", () => {
    const odd = model((d) => {
      d.nodes.push({ op: "Fancy", domain: "com.example", inputs: [layer(d, "x", "stem", 3)], outputs: ["odd"] })
      return layer(d, "odd", "head", 4)
    })
    expect(names(split(["stem.*"], ["head/relu"], odd))).toEqual(["odd"])
  })

  test("gives out the shape alone of what only a Shape reads", () => {
    const shaped = model((d) => {
      const stem = layer(d, "x", "stem", 3)
      const small = d.node("MaxPool", [stem], { kernel_shape: [2, 2], strides: [2, 2] }, "small")
      const head = layer(d, small, "head", 4)
      return d.node("Resize", [head, "", "", d.node("Shape", [stem])], { mode: "nearest" }, "large")
    })
    expect(split(["stem.*"], ["large"], shaped).boundary.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "small", isShapeOnly: false },
      { name: "stem/relu", isShapeOnly: true },
    ])
  })

  test("gives out a value itself where a Shape and a layer read it, whichever comes first", () => {
    const both = (isShapeFirst: boolean) =>
      model((d) => {
        const stem = layer(d, "x", "stem", 3)
        const head = layer(d, stem, "head", 4)
        const rest = d.node("Shape", [stem])
        const sum = isShapeFirst ? [rest, d.node("Shape", [head])] : [d.node("Shape", [head]), rest]
        return d.node("Reshape", [head, d.node("Max", sum)], {}, "out")
      })
    for (const isShapeFirst of [true, false]) {
      const { boundary } = split(["stem.*"], ["out"], both(isShapeFirst))
      expect(boundary).toEqual([{ name: "stem/relu", isShapeOnly: false }])
    }
  })

  test("of a residual network of PyTorch ends before its second stage", () => {
    const fixture = readFixture("resnet18-frozen")
    const found = split(fixture.frozen, [fixture.output], fixture.model)
    expect(found.hasParameters).toBe(true)
    expect(found.boundary.map(({ name }) => name)).toEqual([expect.stringContaining("layer1.1")])
  })
})
