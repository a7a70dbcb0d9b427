import { describe, expect, test } from "vitest"
import { floatTensor, type Shape, sizeOf } from "../../graph/tensor.ts"
import { createRng } from "../../random/rng.ts"
import { type WrittenTensor, writeOnnxModel } from "../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { Drawing } from "./drawing.test-suite.ts"
import { storedParameters } from "./parameters.ts"

const rng = createRng("parameters")
const random = (...shape: Shape) =>
  floatTensor(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  )
const filled = (number: number, ...shape: Shape) => floatTensor(shape, new Float32Array(sizeOf(shape)).fill(number))

/** Kinds by name of what is found in a network that reads `x` and whose last drawn node is its output. */
function kindsIn(
  draw: (drawing: Drawing) => string,
  { shape = ["n", 3, 8, 8], more = {} }: { shape?: (number | string)[]; more?: Record<string, WrittenTensor> } = {},
): Record<string, string> {
  const drawing = new Drawing()
  const output = draw(drawing)
  const written = drawing.written({ opset: 17, inputs: [{ name: "x", shape }], outputs: [output] })
  const initializers = { ...written.initializers, ...more }
  const model = decodeOnnxModel(writeOnnxModel({ ...written, initializers }), "net.onnx")
  return Object.fromEntries([...storedParameters(model)].map(([name, { kind }]) => [name, kind]))
}

/** A first layer, so that what follows is no preprocessing. */
function conv(d: Drawing, x = "x"): string {
  return d.node("Conv", [x, d.store("conv.weight", random(4, 3, 1, 1))])
}

describe("parameters of a file", () => {
  test("are single numbers too where PyTorch named them, as it does what a network learns", () => {
    const scaled = (producer: string) => {
      const drawing = new Drawing()
      const scale = drawing.node("Mul", [conv(drawing), drawing.store("block.gate", filled(0.5))])
      const output = drawing.node("Div", [scale, drawing.store("onnx::Div_12", filled(8))])
      const written = drawing.written({ opset: 17, inputs: [{ name: "x", shape: ["n", 3, 8, 8] }], outputs: [output] })
      const model = decodeOnnxModel(writeOnnxModel({ ...written, producer }), "net.onnx")
      return [...storedParameters(model).keys()]
    }
    expect(scaled("pytorch")).toEqual(["conv.weight", "block.gate"])
    expect(scaled("tf2onnx")).toEqual(["conv.weight"])
  })

  test("are the weights and biases of layers, whatever they are called", () => {
    const found = kindsIn((d) => {
      const y = d.node("Conv", ["x", d.store("a", random(4, 3, 1, 1)), d.store("b", random(4))])
      const rows = d.node("Flatten", [d.node("PRelu", [y, d.store("c", random(4, 1, 1))])])
      const z = d.node("Gemm", [rows, d.store("d", random(256, 6)), d.store("e", random(6))])
      const n = d.node("LayerNormalization", [z, d.store("f", random(6)), d.store("g", random(6))])
      return d.node("MatMul", [n, d.store("h", random(6, 2))])
    })
    expect(Object.keys(found)).toEqual([..."abcdefgh"])
    expect(new Set(Object.values(found))).toEqual(new Set(["parameter"]))
  })

  test("leave the statistics of a batch normalisation to be buffers", () => {
    const found = kindsIn((d) => {
      const parts = ["scale", "shift", "mean", "variance"].map((name) => d.store(name, random(4)))
      return d.node("BatchNormalization", [conv(d), ...parts])
    })
    expect(found).toMatchObject({ scale: "parameter", shift: "parameter", mean: "buffer", variance: "buffer" })
  })

  test("are biases added after a product, scales of layers and embeddings of positions", () => {
    const found = kindsIn((d) => {
      const product = d.node("MatMul", ["x", d.store("weight", random(8, 6))])
      const shifted = d.node("Add", [d.store("bias", random(6)), product])
      const scaled = d.node("Mul", [shifted, d.store("gamma", random(6))])
      return d.node("Add", [scaled, d.store("positions", random(1, 3, 8, 6))])
    })
    expect(Object.keys(found)).toEqual(["weight", "bias", "gamma", "positions"])
  })

  test("are class tokens, expanded to the batch or joined on", () => {
    const found = kindsIn(
      (d) => {
        const tokens = d.node("MatMul", ["x", d.store("weight", random(3, 6))])
        const expanded = d.node("Expand", [d.store("token", random(1, 1, 6)), d.ints(2, 1, 6)])
        return d.node("Concat", [expanded, tokens, d.store("register", random(2, 1, 6))], { axis: 1 })
      },
      { shape: [2, 5, 3] },
    )
    expect(Object.keys(found)).toEqual(["weight", "token", "register"])
  })

  test("are weights that stand in Constant nodes", () => {
    const found = kindsIn((d) => {
      const weight = d.node("Constant", [], { value: random(4, 3, 1, 1) }, "/conv/Constant_output_0")
      return d.node("Conv", ["x", weight])
    })
    expect(found).toEqual({ "/conv/Constant_output_0": "parameter" })
  })

  test("are weights that are laid out in another way, under the name of what is stored", () => {
    const found = kindsIn((d) => {
      const kernel = d.node("Transpose", [d.store("kernel", random(1, 1, 3, 4))], { perm: [3, 2, 0, 1] })
      const bias = d.node("Squeeze", [d.node("Cast", [d.store("bias", random(1, 4))], { to: 1 }), d.ints(0)])
      const y = d.node("Conv", ["x", kernel, bias])
      return d.node("Mul", [y, d.node("Reshape", [d.store("gamma", random(4)), d.ints(1, 4, 1, 1)])])
    })
    expect(Object.keys(found)).toEqual(["kernel", "bias", "gamma"])
  })

  test("are what a weight is computed from, without the single numbers of the computation", () => {
    const found = kindsIn((d) => {
      const weight = d.store("weight", random(4, 3, 1, 1))
      const centred = d.node("Sub", [weight, d.node("ReduceMean", [weight], { axes: [1], keepdims: 1 })])
      const size = d.node("Sqrt", [d.node("ReduceMean", [d.node("Mul", [centred, centred])], { axes: [1] })])
      const gain = d.node("Div", [d.store("gain", random(4, 1, 1, 1)), d.node("Add", [size, d.scalar(1e-5)])])
      return d.node("Conv", ["x", d.node("Mul", [centred, gain])])
    })
    expect(found).toEqual({ weight: "parameter", gain: "parameter" })
  })

  test("are not what is subtracted from the images or divides them", () => {
    const found = kindsIn((d) => {
      const centred = d.node("Sub", ["x", d.store("mean", random(1, 3, 1, 1))])
      return conv(d, d.node("Div", [centred, d.store("std", random(3, 1, 1))]))
    })
    expect(Object.keys(found)).toEqual(["conv.weight"])
  })

  test("are not single numbers, exponents, bounds and pads", () => {
    const found = kindsIn((d) => {
      const scaled = d.node("Add", [d.node("Mul", [conv(d), d.scalar(0.5)]), d.store("one", random(1))])
      const powers = d.node("Pow", [scaled, d.store("exponents", random(4, 1, 1))])
      const bounded = d.node("Clip", [powers, d.scalar(0), d.scalar(6)])
      return d.node("Pad", [bounded, d.ints(0, 0, 1, 1, 0, 0, 1, 1), d.store("filler", floatTensor([]))])
    })
    expect(Object.keys(found)).toEqual(["conv.weight"])
  })

  test("are not masks of attention", () => {
    const mask = (low: number) => floatTensor([2, 2], Float32Array.of(0, low, 0, 0))
    const found = kindsIn(
      (d) => {
        const scores = d.node("MatMul", ["x", d.store("weight", random(3, 2))])
        const masked = d.node("Add", [scores, d.store("mask", mask(-100))])
        return d.node("Add", [masked, d.store("causal mask", mask(Number.NEGATIVE_INFINITY))])
      },
      { shape: ["n", 2, 3] },
    )
    expect(Object.keys(found)).toEqual(["weight"])
  })

  test("are not whole numbers, and not inputs of ops of another domain", () => {
    const found = kindsIn((d) => {
      const picked = d.node("Gather", [d.store("table", random(5, 4)), d.ints(0, 1)])
      d.node("Shape", [picked])
      const other = d.store("other", random(4, 4, 1, 1))
      d.nodes.push({ op: "Conv", domain: "com.example", inputs: ["x", other], outputs: ["y"], name: "custom" })
      return "y"
    })
    expect(found).toEqual({ table: "parameter" })
  })

  test("of float16 and float64 are parameters too, so that training them can be refused", () => {
    const weight: WrittenTensor = { dataType: "float16", shape: [4, 3, 1, 1], rawData: new Uint8Array(24) }
    const found = kindsIn((d) => d.node("Conv", ["x", d.node("Cast", ["half"], { to: 1 })]), { more: { half: weight } })
    expect(found).toEqual({ half: "parameter" })
  })

  test("that are fresh and copied stand for themselves; others are shared", () => {
    const found = kindsIn((d) => {
      const zeros = d.store("first.bias", filled(0, 4))
      const trained = d.store("first.scale", random(4))
      const statistics = [d.node("Identity", [zeros], {}, "mean"), d.store("variance", random(4))]
      const first = d.node("BatchNormalization", [conv(d), trained, zeros, ...statistics])
      const copies = [trained, zeros].map((name, index) => d.node("Identity", [name], {}, `copy.${index}`))
      return d.node("BatchNormalization", [first, ...copies, ...statistics])
    })
    expect(found).toEqual({
      "conv.weight": "parameter",
      "first.scale": "parameter",
      "first.bias": "parameter",
      mean: "buffer",
      variance: "buffer",
      "copy.1": "parameter",
    })
  })

  test("are found in time in a network whose weights double at every step", () => {
    const found = kindsIn((d) => {
      let weight = d.store("weight", random(4, 3, 1, 1))
      for (let step = 0; step < 200; step++) weight = d.node("Add", [weight, weight])
      return d.node("Conv", ["x", weight])
    })
    expect(found).toEqual({ weight: "parameter" })
  })
})
