import { floatTensor, type Shape, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { Rng } from "../random/rng.ts"
import type { ParameterSpec, TensorMap } from "./network.ts"

/** First values of a parameter; each parameter is given a stream of its own. */
export type Initializer = (shape: Shape, rng: Rng) => Tensor

export const zeros: Initializer = (shape) => floatTensor(shape)

/** Uniform in [-bound, bound). */
export const uniform =
  (bound: number): Initializer =>
  (shape, rng) =>
    floatTensor(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => (2 * rng.float() - 1) * bound),
    )

export const filled =
  (value: number): Initializer =>
  (shape) =>
    floatTensor(shape, new Float32Array(sizeOf(shape)).fill(value))

export const ones = filled(1)

/** Uniform in [-1/sqrt(fanIn), 1/sqrt(fanIn)): what PyTorch's Conv2d and Linear start from, weights and biases alike. */
export const uniformByFanIn = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn))

/** Variance 2 / fanIn, which ReLU keeps the same from layer to layer (He et al. 2015). */
export const heUniform = (fanIn: number): Initializer => uniform(Math.sqrt(6 / fanIn))

/** Variance 2 / (fanIn + fanOut) (Glorot & Bengio 2010). */
export const xavierUniform = (fanIn: number, fanOut: number): Initializer => uniform(Math.sqrt(6 / (fanIn + fanOut)))

/** First values of all parameters and buffers, drawn from a child stream per name, so that no order matters. */
export function initializeParameters(specs: readonly ParameterSpec[], rng: Rng): TensorMap {
  return new Map(specs.map(({ name, shape, initializer }) => [name, initializer(shape, rng.child(name))]))
}
