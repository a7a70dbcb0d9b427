import {
  floatTensor,
  LearnlossError,
  type OnnxModel,
  readOnnxModel,
  sizeOf,
  storedParameters,
  type Tensor,
  type TensorMap,
} from "@learnloss/engine"
import { type VggLayer, vggLayers } from "./vgg.ts"

/** Of the window that VGG's first fully connected layer reads, 7x7, SSD keeps every third position in each direction. */
const [window, windowStep] = [7, 3]

/** Of the 4,096 features of each fully connected layer SSD keeps every fourth. */
const featureStep = 4

/** What a file of VGG-16 gives the backbone of SSD. */
export interface VggWeights {
  /** SHA-256 of the file. */
  readonly digest: string
  /** By layer: `0.weight` to `33.bias`. */
  readonly tensors: TensorMap
}

/**
 * Reads the weights of VGG-16 from an ONNX file, as torchvision or a model zoo has it: thirteen 3x3 convolutions and two fully
 * connected layers, told by their order and shapes, whatever their names. The fully connected layers become convolutions as
 * in SSD: every third position of the first one's 7x7 window, every fourth feature of both.
 *
 * @param width channels of the first convolution, 64 in VGG-16
 * @throws LearnlossError `WEIGHTS_NOT_VGG16`, and what reading an ONNX file throws
 */
export function readVggWeights(path: string, width: number): VggWeights {
  const file = readOnnxModel(path)
  requireNoNormalization(file)
  const parameters = [...storedParameters(file).values()]
  const tensors = new Map<string, Tensor>()
  let position = 0
  const take = (what: string, ...shapes: readonly (readonly number[])[]): Tensor => {
    const parameter = parameters[position++]
    const wanted = shapes.map((shape) => `[${shape.join(", ")}]`)
    const got = parameter === undefined ? "no more weights" : `${parameter.name} [${parameter.tensor.shape.join(", ")}]`
    if (parameter === undefined || !wanted.includes(`[${parameter.tensor.shape.join(", ")}]`))
      throw notVgg(path, `${what} of shape ${wanted.join(" or ")}`, got)
    return parameter.tensor.read()
  }
  const { stages, fc6, fc7 } = vggLayers(width)
  for (const [index, { name, inputs, channels, kernel }] of stages.flat().entries()) {
    tensors.set(`${name}.weight`, take(`the weight of convolution ${index + 1}`, [channels, inputs, kernel, kernel]))
    tensors.set(`${name}.bias`, take(`the bias of convolution ${index + 1}`, [channels]))
  }
  const features = featureStep * fc6.channels
  const first = fc6.inputs * window ** 2
  const weight6 = take("the weight of the first fully connected layer", [features, first], [first, features])
  // A file that has one of the two transposed has both: the second one is square and does not tell.
  const isTransposed = weight6.shape[0] === first
  const bias6 = take("the bias of the first fully connected layer", [features])
  const weight7 = take("the weight of the second fully connected layer", [features, features])
  const bias7 = take("the bias of the second fully connected layer", [features])
  tensors.set(`${fc6.name}.weight`, everyThird(rowsFirst(weight6, isTransposed), fc6))
  tensors.set(`${fc6.name}.bias`, everyFourth(bias6))
  tensors.set(`${fc7.name}.weight`, everyFourthOfBoth(rowsFirst(weight7, isTransposed), fc7))
  tensors.set(`${fc7.name}.bias`, everyFourth(bias7))
  return { digest: file.digest, tensors }
}

type At = (output: number, input: number) => number

/** A matrix as a function of its output and its input, however it is stored. */
function rowsFirst({ data, shape }: Tensor, isTransposed: boolean): At {
  const columns = shape[1] as number
  const numbers = data as Float32Array
  return (output, input) => numbers[isTransposed ? input * columns + output : output * columns + input] as number
}

function everyThird(at: At, { channels, inputs, kernel }: VggLayer): Tensor {
  const shape = [channels, inputs, kernel, kernel]
  const offsets = Array.from({ length: kernel ** 2 }, (_, place) => {
    const [row, column] = [Math.floor(place / kernel), place % kernel]
    return row * windowStep * window + column * windowStep
  })
  const data = new Float32Array(sizeOf(shape))
  let position = 0
  for (let output = 0; output < channels; output++)
    for (let input = 0; input < inputs; input++)
      for (const offset of offsets) data[position++] = at(featureStep * output, input * window ** 2 + offset)
  return floatTensor(shape, data)
}

function everyFourthOfBoth(at: At, { channels, inputs }: VggLayer): Tensor {
  const number = (_: unknown, position: number) =>
    at(featureStep * Math.floor(position / inputs), featureStep * (position % inputs))
  return floatTensor([channels, inputs, 1, 1], Float32Array.from({ length: channels * inputs }, number))
}

function everyFourth({ data }: Tensor): Tensor {
  const numbers = (data as Float32Array).filter((_, position) => position % featureStep === 0)
  return floatTensor([numbers.length], numbers)
}

/** Normalisation has weights of its own between the convolutions; moved features would be read in another order. */
function requireNoNormalization({ nodes, initializers, where }: OnnxModel): void {
  for (const { op, inputs, name } of nodes) {
    if (op === "BatchNormalization") throw notVgg(where, "VGG-16 without batch normalisation", `node ${name}`)
    if (op === "Transpose" && !initializers.has(inputs[0] ?? ""))
      throw notVgg(where, "features with the channels first", `node ${name}, which moves them`)
  }
}

function notVgg(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("WEIGHTS_NOT_VGG16", {
    where,
    expected,
    got,
    fix: "Give an ONNX file of VGG-16 (configuration D), e.g. torchvision's `vgg16`, or leave model.weights out.",
  })
}
