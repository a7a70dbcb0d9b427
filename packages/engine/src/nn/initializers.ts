import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { Rng } from "../random/rng.ts"
import type { ParameterSpec, TensorMap } from "./network.ts"

/** First values of a parameter; each parameter is given a stream of its own. */
export type Initializer = (shape: Shape, rng: Rng) => Tensor

export const zeros: Initializer = (shape) => floatTensor(shape)

export const ones: Initializer = (shape) => floatTensor(shape, new Float32Array(sizeOf(shape)).fill(1))

/** Uniform in [-1/sqrt(fanIn), 1/sqrt(fanIn)): what PyTorch's Conv2d and Linear start from, weights and biases alike. */
export const uniformByFanIn =
  (fanIn: number): Initializer =>
  (shape, rng) => {
    const bound = 1 / Math.sqrt(fanIn)
    return floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => (2 * rng.float() - 1) * bound),
    )
  }

/** First values of all parameters and buffers, drawn from a child stream per name, so that no order matters. */
export function initializeParameters(specs: readonly ParameterSpec[], rng: Rng): TensorMap {
  return new Map(specs.map(({ name, shape, initializer }) => [name, initializer(shape, rng.child(name))]))
}
