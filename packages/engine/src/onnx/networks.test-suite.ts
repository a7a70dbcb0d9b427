import { floatTensor, intTensor, sizeOf, type Tensor } from "../graph/tensor.ts"
import { createRng } from "../random/rng.ts"
import type {
  WrittenAttribute,
  WrittenModel,
  WrittenNode,
  WrittenTensor,
  WrittenValue,
} from "../testing/onnx-writer.ts"

type Attributes = Readonly<Record<string, WrittenAttribute>>

/** Collects the nodes and weights of a small network that tests read as a file; values are named by the caller. */
export class NetworkWriter {
  readonly nodes: WrittenNode[] = []
  readonly initializers: Record<string, Tensor | WrittenTensor> = {}

  weight(name: string, shape: readonly number[]): string {
    const rng = createRng(name)
    this.initializers[name] = floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => 0.1 * rng.normal()),
    )
    return name
  }

  ints(name: string, values: readonly number[]): string {
    this.initializers[name] = intTensor([values.length], values)
    return name
  }

  op(op: string, inputs: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }

  conv(
    name: string,
    input: string,
    [from, to, kernel]: readonly [number, number, number],
    {
      stride = 1,
      group = 1,
      bias = false,
      rank = 2,
    }: { stride?: number; group?: number; bias?: boolean; rank?: number } = {},
  ): string {
    const half = (kernel - 1) / 2
    const all = (value: number) => new Array(rank).fill(value) as number[]
    const weights = [this.weight(`${name}.weight`, [to, from / group, ...all(kernel)])]
    if (bias) weights.push(this.weight(`${name}.bias`, [to]))
    return this.op("Conv", [input, ...weights], name, {
      kernel_shape: all(kernel),
      strides: all(stride),
      pads: [...all(half), ...all(half)],
      group,
    })
  }

  batchNorm(name: string, input: string, channels: number): string {
    const parts = ["scale", "bias", "mean", "var"].map((part) => {
      const tensor = floatTensor(
        [channels],
        new Float32Array(channels).fill(part === "scale" || part === "var" ? 1 : 0),
      )
      this.initializers[`${name}.${part}`] = tensor
      return `${name}.${part}`
    })
    return this.op("BatchNormalization", [input, ...parts], name)
  }

  linear(name: string, input: string, [from, to]: readonly [number, number]): string {
    const inputs = [input, this.weight(`${name}.weight`, [to, from]), this.weight(`${name}.bias`, [to])]
    return this.op("Gemm", inputs, name, { transB: 1 })
  }

  /** A product with a matrix and a bias, as networks of tokens have them. */
  project(name: string, input: string, [from, to]: readonly [number, number]): string {
    const product = this.op("MatMul", [input, this.weight(`${name}.weight`, [from, to])], `${name}.product`)
    return this.op("Add", [this.weight(`${name}.bias`, [to]), product], name)
  }

  model(inputs: readonly WrittenValue[], outputs: readonly (string | WrittenValue)[], opset = 17): WrittenModel {
    return { opset, inputs, outputs, nodes: this.nodes, initializers: this.initializers }
  }
}

const image = (size = 16): WrittenValue => ({ name: "x", shape: ["n", 3, size, size] })

/** Two convolutions at each of three resolutions, pooled in between, as VGG. */
export function plainCnn(): WrittenModel {
  const w = new NetworkWriter()
  let [value, channels] = ["x", 3]
  for (const stage of [1, 2, 3]) {
    for (const layer of [1, 2]) {
      const name = `conv${stage}.${layer}`
      value = w.op("Relu", [w.conv(name, value, [channels, 4 * stage, 3], { bias: true })], `relu${stage}.${layer}`)
      channels = 4 * stage
    }
    if (stage < 3) value = w.op("MaxPool", [value], `pool${stage}`, { kernel_shape: [2, 2], strides: [2, 2] })
  }
  const pooled = w.op("Flatten", [w.op("GlobalAveragePool", [value], "gap")], "features")
  const scores = w.linear("fc", w.op("Dropout", [pooled], "dropped"), [12, 5])
  w.op("Softmax", [scores], "y", { axis: 1 })
  return w.model([image()], [{ name: "y", shape: ["n", 5] }])
}

/** A stem and two residual blocks at each of three resolutions. */
export function residualNetwork(): WrittenModel {
  const w = new NetworkWriter()
  const convNorm = (name: string, input: string, sizes: readonly [number, number, number], stride = 1) =>
    w.batchNorm(`${name}.bn`, w.conv(name, input, sizes, { stride }), sizes[1])
  let value = w.op("Relu", [convNorm("stem", "x", [3, 4, 3])], "stem.relu")
  let channels = 4
  for (const stage of [1, 2, 3]) {
    for (const block of [1, 2]) {
      const name = `layer${stage}.${block}`
      const [stride, to] = [stage > 1 && block === 1 ? 2 : 1, 4 * stage]
      const inner = w.op("Relu", [convNorm(`${name}.a`, value, [channels, to, 3], stride)], `${name}.a.relu`)
      const shortcut = stride === 1 ? value : convNorm(`${name}.shortcut`, value, [channels, to, 1], stride)
      value = w.op(
        "Relu",
        [w.op("Add", [convNorm(`${name}.b`, inner, [to, to, 3]), shortcut], `${name}.sum`)],
        `${name}.out`,
      )
      channels = to
    }
  }
  w.linear("y", w.op("Flatten", [w.op("GlobalAveragePool", [value], "gap")], "features"), [12, 5])
  return w.model([image()], ["y"])
}

/** Inverted residuals with squeeze and excitation: expand, depthwise, gate, project. */
export function mobileNetwork(): WrittenModel {
  const w = new NetworkWriter()
  w.initializers.zero = floatTensor([], Float32Array.of(0))
  w.initializers.six = floatTensor([], Float32Array.of(6))
  const clip = (input: string) => w.op("Clip", [input, "zero", "six"], `${input}.clip`)
  let value = clip(w.conv("stem", "x", [3, 4, 3], { stride: 2, bias: true }))
  for (const [index, stride] of [1, 2, 1].entries()) {
    const name = `block${index}`
    const wide = clip(w.conv(`${name}.expand`, value, [4, 8, 1], { bias: true }))
    const deep = clip(w.conv(`${name}.depthwise`, wide, [8, 8, 3], { stride, group: 8, bias: true }))
    const squeezed = w.conv(`${name}.squeeze`, w.op("GlobalAveragePool", [deep], `${name}.gap`), [8, 8, 1], {
      bias: true,
    })
    const gated = w.op("Mul", [deep, w.op("HardSigmoid", [squeezed], `${name}.gate`)], `${name}.gated`)
    const narrow = w.conv(`${name}.project`, gated, [8, 4, 1], { bias: true })
    value = stride === 1 ? w.op("Add", [value, narrow], `${name}.out`) : narrow
  }
  const head = clip(w.conv("head", value, [4, 16, 1], { bias: true }))
  const pooled = w.op("ReduceMean", [head], "features", { axes: [2, 3], keepdims: 0 })
  w.linear("y", pooled, [16, 5])
  return w.model([image()], ["y"])
}

/** A vision transformer with a class token and as many blocks as asked for. */
export function tokenNetwork(blocks = 8): WrittenModel {
  const w = new NetworkWriter()
  const [width, heads, tokens] = [8, 2, 17]
  const patches = w.conv("patches", "x", [3, width, 1], { stride: 4, bias: true })
  const flat = w.op("Reshape", [patches, w.ints("patch shape", [0, width, -1])], "flat")
  const sequence = w.op("Transpose", [flat], "sequence", { perm: [0, 2, 1] })
  const shape = w.op("Shape", ["x"], "shape of x")
  const batch = w.op("Gather", [shape, w.ints("first", [0])], "batch")
  const lengths = w.op("Concat", [batch, w.ints("token shape", [1, width])], "lengths", { axis: 0 })
  const token = w.op("Expand", [w.weight("class", [1, 1, width]), lengths], "class tokens")
  const joined = w.op("Concat", [token, sequence], "joined", { axis: 1 })
  let value = w.op("Add", [joined, w.weight("position", [1, tokens, width])], "placed")
  const norm = (name: string, input: string) =>
    w.op("LayerNormalization", [input, w.weight(`${name}.scale`, [width]), w.weight(`${name}.bias`, [width])], name, {
      axis: -1,
    })
  w.ints("split heads", [0, tokens, heads, width / heads])
  w.ints("join heads", [0, tokens, width])
  for (let block = 0; block < blocks; block++) {
    const name = `block${block}`
    const normed = norm(`${name}.norm1`, value)
    const [query, key, content] = ["q", "k", "v"].map((part) => {
      const projected = w.project(`${name}.${part}`, normed, [width, width])
      const split = w.op("Reshape", [projected, "split heads"], `${name}.${part}.split`)
      return w.op("Transpose", [split], `${name}.${part}.heads`, { perm: part === "k" ? [0, 2, 3, 1] : [0, 2, 1, 3] })
    }) as [string, string, string]
    const attention = w.op("Softmax", [w.op("MatMul", [query, key], `${name}.scores`)], `${name}.attention`, {
      axis: -1,
    })
    const mixed = w.op("MatMul", [attention, content], `${name}.mixed`)
    const merged = w.op("Transpose", [mixed], `${name}.merged`, { perm: [0, 2, 1, 3] })
    const output = w.project(`${name}.project`, w.op("Reshape", [merged, "join heads"], `${name}.join`), [width, width])
    value = w.op("Add", [value, output], `${name}.attended`)
    const hidden = w.project(`${name}.fc1`, norm(`${name}.norm2`, value), [width, 2 * width])
    const bent = w.op("Mul", [hidden, w.op("Sigmoid", [hidden], `${name}.gate`)], `${name}.bent`)
    value = w.op("Add", [value, w.project(`${name}.fc2`, bent, [2 * width, width])], `${name}.out`)
  }
  w.initializers["class place"] = { dataType: "int64", shape: [], int64Data: [0] }
  const pooled = w.op("Gather", [norm("norm", value), "class place"], "features", { axis: 1 })
  w.linear("y", pooled, [width, 5])
  return w.model([image()], ["y"])
}

/** Keras by way of tf2onnx: images with channels last, transpositions around convolutions, a padding, Softmax. */
export function channelsLastNetwork(): WrittenModel {
  const w = new NetworkWriter()
  const first = w.op("Transpose", ["x"], "to first", { perm: [0, 3, 1, 2] })
  const one = w.op("Relu", [w.conv("conv1", first, [3, 4, 3], { bias: true })], "relu1")
  const back = w.op("Transpose", [one], "to last", { perm: [0, 2, 3, 1] })
  const scaled = w.op("Mul", [back, w.weight("scale", [4])], "scaled")
  const act = w.op("Relu", [scaled], "stage1")
  const padded = w.op("Pad", [act, w.ints("pads", [0, 0, 0, 0, 0, 1, 1, 0])], "padded")
  const again = w.op("Transpose", [padded], "to first again", { perm: [0, 3, 1, 2] })
  const two = w.conv("conv2", again, [4, 8, 1], { stride: 2, bias: true })
  const last = w.op("Relu", [w.op("Transpose", [two], "two last", { perm: [0, 2, 3, 1] })], "stage2")
  const mean = w.op("ReduceMean", [last], "features", { axes: [1, 2], keepdims: 0 })
  const scores = w.op("MatMul", [mean, w.weight("dense", [8, 5])], "product")
  w.op("Softmax", [w.op("Add", [scores, w.weight("dense bias", [5])], "scores")], "y")
  return w.model([{ name: "x", shape: ["n", 16, 16, 3] }], ["y"])
}

/** A network on sequences: three convolutions of one dimension. */
export function sequenceCnn(): WrittenModel {
  const w = new NetworkWriter()
  let value = "x"
  for (const [index, channels] of [4, 6, 8].entries()) {
    const from = index === 0 ? 2 : 2 + 2 * index
    value = w.op("Relu", [w.conv(`conv${index}`, value, [from, channels, 3], { stride: 2, rank: 1 })], `relu${index}`)
  }
  const pooled = w.op("Flatten", [w.op("GlobalAveragePool", [value], "gap")], "features")
  w.linear("y", pooled, [8, 5])
  return w.model([{ name: "x", shape: ["n", 2, 32] }], ["y"])
}

/** Three hidden layers on flat features. */
export function mlp(): WrittenModel {
  const w = new NetworkWriter()
  let value = w.op("Flatten", ["x"], "flat")
  for (const [index, from] of [48, 8, 8].entries())
    value = w.op("Relu", [w.linear(`fc${index}`, value, [from, 8])], `relu${index}`)
  w.op("LogSoftmax", [w.linear("scores", value, [8, 5])], "y")
  return w.model([image(4)], ["y"])
}

/** An encoder and a decoder with connections between them, and a map of scores as the output. */
export function uNet(): WrittenModel {
  const w = new NetworkWriter()
  const step = (name: string, input: string, sizes: readonly [number, number, number], stride = 1) =>
    w.op("Relu", [w.conv(name, input, sizes, { stride, bias: true })], `${name}.relu`)
  const full = step("down1", "x", [3, 4, 3])
  const half = step("down2", full, [4, 6, 3], 2)
  const bottom = step("bottom", half, [6, 8, 3], 2)
  w.initializers.scales = floatTensor([4], Float32Array.of(1, 1, 2, 2))
  const up = (name: string, input: string) => w.op("Resize", [input, "", "scales"], name, { mode: "nearest" })
  const middle = step("up2", w.op("Concat", [up("up2.resize", bottom), half], "up2.join", { axis: 1 }), [14, 6, 3])
  const top = step("up1", w.op("Concat", [up("up1.resize", middle), full], "up1.join", { axis: 1 }), [10, 4, 3])
  w.op("Sigmoid", [w.conv("scores", top, [4, 1, 1], { bias: true })], "y")
  return w.model([image()], ["y"])
}

export const networks = {
  plainCnn,
  residualNetwork,
  mobileNetwork,
  tokenNetwork,
  channelsLastNetwork,
  sequenceCnn,
  mlp,
  uNet,
} as const
