import { fusedMatMul, gemm, matMul, reduceSum, reshape } from "../graph/build.ts"
import type { Graph, Value } from "../graph/graph.ts"
import { floatTensor } from "../graph/tensor.ts"
import { type Frequency, frequenciesOf } from "./minimal-filter.ts"
import type { ConvProduct, Lowering, ProductKind } from "./product.ts"

/**
 * Convolutions by minimal filtering (`minimal-filter.ts`): 3x3 kernels of stride one take 2.25 times (tiles of 2 x 2) or
 * 4 times (4 x 4) fewer multiplications, of stride two 1.44 or 1.78 times.
 *
 * Tiles overlap, and cutting them out with slices costs more than is won. Here an axis goes through its transform as a
 * whole: one constant matrix holds the tiles' transforms, their overlaps and the padding, and a `Gemm` that transposes its
 * second factor applies it and moves the axis to the front at once. So every step is a matrix product, and frequencies
 * stand where the batch of a `MatMul` has to be without a transpose. The gradients are the same steps transposed, and both
 * of them share the transform of the output gradient, since equal nodes are added once. The transforms of the input and the
 * kernel could be shared with the forward product in the same way, but would have to be kept from there to here: more than
 * twice the memory of all activations for 2% of the time. So backward products compute them again (`Matrix.applyAgain`).
 */

/** What one axis of the map goes through; transformed positions are ordered (frequency, tile). */
interface Axis {
  readonly frequencies: readonly Frequency[]
  readonly tiles: number
  /** Share of an input position in a transformed one. */
  input(row: number, position: number): number
  /** Share of a transformed position in an output position. */
  output(row: number, position: number): number
}

function axisOf({ inputShape, weightShape, outputShape, strides, pads }: ConvProduct, axis: 0 | 1, tile: number): Axis {
  const taps = weightShape[2 + axis] as number
  const outputLength = outputShape[2 + axis] as number
  const frequencies = frequenciesOf(tile, taps, strides[axis]) as readonly Frequency[]
  const tiles = Math.ceil(outputLength / tile)
  const length = inputShape[2 + axis] as number
  const at = (row: number) => [frequencies[Math.floor(row / tiles)] as Frequency, (row % tiles) * tile] as const
  return {
    frequencies,
    tiles,
    input(row, position) {
      const [frequency, start] = at(row)
      return position < length ? (frequency.input.get(position + pads[axis] - start * strides[axis]) ?? 0) : 0
    },
    output(row, position) {
      const [frequency, start] = at(row)
      return frequency.output[position - start] ?? 0
    },
  }
}

/** A constant matrix [rows, columns] that is multiplied with the last axis of a tensor, or with its first. */
interface Matrix {
  readonly rows: number
  readonly columns: number
  /** [n, columns] to [rows, n]. */
  apply(values: Value): Value
  /** The same numbers by another node, which does not keep those of `apply` alive. */
  applyAgain(values: Value): Value
  /** [rows, n] to [n, columns]. */
  applyTransposed(values: Value): Value
}

function matrix(graph: Graph, rows: number, columns: number, at: (row: number, column: number) => number): Matrix {
  const constant = (height: number, width: number, element: typeof at) => {
    const data = Float32Array.from({ length: height * width }, (_, index) =>
      element(Math.floor(index / width), index % width),
    )
    return graph.constant(floatTensor([height, width], data), `transform ${height}x${width}`)
  }
  return {
    rows,
    columns,
    apply: (values) => gemm(constant(rows, columns, at), values, { transB: true }),
    applyAgain: (values) =>
      gemm(
        constant(columns, rows, (row, column) => at(column, row)),
        values,
        { transA: true, transB: true },
      ),
    applyTransposed: (values) => gemm(values, constant(rows, columns, at), { transA: true }),
  }
}

/** How maps become tiles and tiles maps, and how tiles meet the kernel. Frequencies come first in [F, O, C]. */
interface Transforms {
  /** [N, C, H, W] to tiles, by the transform of the input. */
  ofInput(x: Value): Value
  ofInputAgain(x: Value): Value
  /** [N, O, OH, OW] to tiles, by the transpose of the output's transform. */
  ofOutput(dy: Value): Value
  toOutput(tiles: Value): Value
  /** By the transpose of the input's transform. */
  toInput(tiles: Value): Value
  forward(tiles: Value, kernel: Value): Value
  backward(tiles: Value, kernel: Value): Value
  /** Sum over all tiles of output tiles times input tiles. */
  kernel(outputs: Value, inputs: Value): Value
}

type Form = (product: ConvProduct, rows: Axis, columns: Axis, graph: Graph) => Transforms

/** Both axes in one matrix: tiles are [frequencies, tiles * N, channels]. */
const byMap: Form = ({ inputShape, outputShape }, rows, columns, graph) => {
  const [n, c, h, w] = inputShape as [number, number, number, number]
  const [, o, oh, ow] = outputShape as [number, number, number, number]
  const across = columns.frequencies.length
  const f = rows.frequencies.length * across
  const tiles = rows.tiles * columns.tiles
  const both = (of: "input" | "output", width: number) => (row: number, position: number) => {
    const [frequency, tile] = [Math.floor(row / tiles), row % tiles]
    const y = Math.floor(frequency / across) * rows.tiles + Math.floor(tile / columns.tiles)
    const x = (frequency % across) * columns.tiles + (tile % columns.tiles)
    return rows[of](y, Math.floor(position / width)) * columns[of](x, position % width)
  }
  const input = matrix(graph, f * tiles, h * w, both("input", w))
  const output = matrix(graph, f * tiles, oh * ow, both("output", ow))
  const into = (transform: Matrix, maps: Value, channels: number, how: "apply" | "applyAgain" = "apply") =>
    reshape(transform[how](reshape(maps, [n * channels, transform.columns])), [f, tiles * n, channels])
  const back = (transform: Matrix, values: Value, shape: readonly number[]) =>
    reshape(transform.applyTransposed(reshape(values, [f * tiles, n * (shape[1] as number)])), shape)
  return {
    ofInput: (x) => into(input, x, c),
    ofInputAgain: (x) => into(input, x, c, "applyAgain"),
    ofOutput: (dy) => into(output, dy, o),
    toOutput: (values) => back(output, values, outputShape),
    toInput: (values) => back(input, values, inputShape),
    forward: (values, kernel) => fusedMatMul(values, kernel, { transB: true }),
    backward: (values, kernel) => matMul(values, kernel),
    kernel: (outputs, inputs) => fusedMatMul(outputs, inputs, { transA: true }),
  }
}

/** One axis after the other: tiles are [frequencies, tiles, frequencies, tiles * N, channels]. */
const byAxis: Form = ({ inputShape, outputShape }, rows, columns, graph) => {
  const [n, c, h, w] = inputShape as [number, number, number, number]
  const [, o, oh, ow] = outputShape as [number, number, number, number]
  const [down, across] = [rows.frequencies.length, columns.frequencies.length]
  const [y, x] = [down * rows.tiles, across * columns.tiles]
  const input = [matrix(graph, y, h, rows.input), matrix(graph, x, w, columns.input)] as const
  const output = [matrix(graph, y, oh, rows.output), matrix(graph, x, ow, columns.output)] as const
  type Pair = readonly [ofRows: Matrix, ofColumns: Matrix]
  const into = (pair: Pair, maps: Value, channels: number, how: "apply" | "applyAgain" = "apply") => {
    const [ofRows, ofColumns] = pair
    const columnsFirst = ofColumns[how](reshape(maps, [n * channels * ofRows.columns, ofColumns.columns]))
    const rowsFirst = ofRows[how](reshape(columnsFirst, [x * n * channels, ofRows.columns]))
    return reshape(rowsFirst, [down, rows.tiles, across, columns.tiles * n, channels])
  }
  const back = ([ofRows, ofColumns]: Pair, values: Value, shape: readonly number[]) => {
    const channels = shape[1] as number
    const rowsLast = ofRows.applyTransposed(reshape(values, [y, x * n * channels]))
    return reshape(ofColumns.applyTransposed(reshape(rowsLast, [x, n * channels * ofRows.columns])), shape)
  }
  const perRow = (kernel: Value) => reshape(kernel, [down, 1, across, o, c])
  return {
    ofInput: (values) => into(input, values, c),
    ofInputAgain: (values) => into(input, values, c, "applyAgain"),
    ofOutput: (values) => into(output, values, o),
    toOutput: (values) => back(output, values, outputShape),
    toInput: (values) => back(input, values, inputShape),
    forward: (values, kernel) => fusedMatMul(values, perRow(kernel), { transB: true }),
    backward: (values, kernel) => matMul(values, perRow(kernel)),
    kernel: (outputs, inputs) =>
      reshape(reduceSum(fusedMatMul(outputs, inputs, { transA: true }), [1]), [down * across, o, c]),
  }
}

/** The transform of the kernel's taps, [F, KH KW]. */
function tapTransform(rows: Axis, columns: Axis, kh: number, kw: number, graph: Graph): Matrix {
  const across = columns.frequencies.length
  return matrix(graph, rows.frequencies.length * across, kh * kw, (row, tap) => {
    const y = rows.frequencies[Math.floor(row / across)]?.kernel.get(Math.floor(tap / kw)) ?? 0
    return y * (columns.frequencies[row % across]?.kernel.get(tap % kw) ?? 0)
  })
}

function build(form: Form, tile: number, product: ConvProduct, a: Value, b: Value): Value {
  const { graph } = a
  const [o, c, kh, kw] = product.weightShape as [number, number, number, number]
  const [rows, columns] = [axisOf(product, 0, tile), axisOf(product, 1, tile)]
  const transforms = form(product, rows, columns, graph)
  const taps = tapTransform(rows, columns, kh, kw, graph)
  const f = taps.rows
  const kernelOf = (weight: Value, how: "apply" | "applyAgain" = "apply") =>
    reshape(taps[how](reshape(weight, [o * c, kh * kw])), [f, o, c])
  switch (product.kind) {
    case "forward":
    case "inference":
      return transforms.toOutput(transforms.forward(transforms.ofInput(a), kernelOf(b)))
    case "input-gradient":
      return transforms.toInput(transforms.backward(transforms.ofOutput(b), kernelOf(a, "applyAgain")))
    case "weight-gradient": {
      const sums = transforms.kernel(transforms.ofOutput(b), transforms.ofInputAgain(a))
      return reshape(taps.applyTransposed(reshape(sums, [f, o * c])), product.weightShape)
    }
  }
}

/** A whole map's matrix grows with the fourth power of its side, an axis' with the second; at sides of 8 both are as fast. */
const forms = [
  { name: "map", form: byMap, sides: [1, 7] },
  { name: "axis", form: byAxis, sides: [8, 40] },
] as const
/** Larger maps never win with small tiles of stride one where large tiles are possible. */
const largestSideOfSmallTiles = 10

function fits(
  { inputShape, weightShape, strides, dilations, group }: ConvProduct,
  tile: number,
  [shortest, longest]: readonly [number, number],
): boolean {
  const isFast = (outputs: number) =>
    [0, 1].every((axis) => {
      const [taps, stride] = [weightShape[2 + axis] as number, strides[axis] as number]
      return taps > stride && stride <= 2 && frequenciesOf(outputs, taps, stride) !== undefined
    })
  const side = Math.max(...inputShape.slice(2))
  const isTooSmall = tile === 2 && side > largestSideOfSmallTiles && Math.max(...strides) === 1 && isFast(4)
  const isPlain = group === 1 && dilations.every((dilation) => dilation === 1)
  return isPlain && !isTooSmall && side >= shortest && side <= longest && isFast(tile)
}

/** The ways by minimal filtering that a kind of product has, with tiles of 2 x 2 and of 4 x 4 outputs. */
export function winogradLowerings(kind: ProductKind): readonly Lowering[] {
  return [2, 4].flatMap((tile) =>
    forms.map(
      ({ name, form, sides }): Lowering => ({
        name: `winograd-${tile}-by-${name}`,
        fits: (product) => product.kind === kind && fits(product, tile, sides),
        build: (product, [a, b]) => build(form, tile, product, a, b),
      }),
    ),
  )
}
