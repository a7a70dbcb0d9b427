import { InternalError, LearnlossError } from "../errors.ts"
import { add, mul } from "../graph/build.ts"
import type { Graph, Value } from "../graph/graph.ts"
import type { Shape, Tensor } from "../graph/tensor.ts"
import type { Initializer } from "./initializers.ts"

/** A trained tensor (`parameter`) or a statistic that training keeps up to date (`buffer`), named as PyTorch names it. */
export interface ParameterSpec {
  readonly name: string
  readonly shape: Shape
  readonly initializer: Initializer
  readonly kind: "parameter" | "buffer"
}

/** Tensors by name: weights, statistics or optimiser state. */
export type TensorMap = ReadonlyMap<string, Tensor>

/**
 * Collects the parameters of a network while its layers add their nodes to a graph.
 *
 * For training, parameters are graph inputs and layers use statistics of the batch; for evaluation, the weights become
 * constants, so that ONNX Runtime can fold and re-order them.
 */
export interface NetworkBuilder {
  readonly graph: Graph
  readonly isTraining: boolean
  /**
   * A parameter or buffer under this builder's scope.
   *
   * @throws LearnlossError `GRAPH_NAME_TAKEN` where there is one of that name
   */
  parameter(name: string, shape: Shape, initializer: Initializer, kind?: ParameterSpec["kind"]): Value
  /** Moves a buffer towards what a batch showed: (1 - share) buffer + share observed. */
  blendBuffer(buffer: Value, observed: Value, share: number): void
  /** Uniform random numbers in [0, 1) of a shape, new ones in every step; only for training. */
  noise(shape: Shape): Value
  /** A builder whose names start with `name.`; several parts may be given at once, `layer1.0`. */
  scope(name: string): NetworkBuilder
}

/** How a buffer changes in a step: (1 - share) buffer + share observed. */
export interface BufferUpdate {
  readonly observed: Value
  readonly share: number
}

/** What building a network leaves behind. */
export interface NetworkParts {
  readonly specs: readonly ParameterSpec[]
  /** Graph value of each parameter and buffer, by name. */
  readonly values: ReadonlyMap<string, Value>
  /** What each buffer moves towards, by name. */
  readonly bufferUpdates: ReadonlyMap<string, BufferUpdate>
  /** Inputs that are fed uniform random numbers in [0, 1) at every training step. */
  readonly noiseInputs: readonly Value[]
}

/** Where parameters come from: graph inputs for training, or weights for evaluation. */
export type ParameterSource = "inputs" | TensorMap

/** A builder together with the parts that it has collected so far. */
export function createNetworkBuilder(graph: Graph, source: ParameterSource): NetworkBuilder & NetworkParts {
  const specs: ParameterSpec[] = []
  const values = new Map<string, Value>()
  const names = new Map<Value, string>()
  const bufferUpdates = new Map<string, BufferUpdate>()
  const noiseInputs: Value[] = []

  const builder = (prefix: string): NetworkBuilder => ({
    graph,
    isTraining: source === "inputs",
    parameter(name, shape, initializer, kind = "parameter") {
      const full = prefix + name
      if (values.has(full)) throw nameTaken(full)
      // Networks of users name their parameters as they like, "images" and "loss" included.
      const value =
        source === "inputs"
          ? graph.input(`parameter ${full}`, "float32", shape)
          : graph.constant(weight(source, full, shape), full)
      specs.push({ name: full, shape, initializer, kind })
      values.set(full, value)
      names.set(value, full)
      return value
    },
    blendBuffer(buffer, observed, share) {
      const name = names.get(buffer)
      if (name === undefined) throw notABuffer(buffer)
      const before = bufferUpdates.get(name)
      bufferUpdates.set(name, before === undefined ? { observed, share } : bothUpdates(before, { observed, share }))
    },
    noise(shape) {
      const value = graph.input(`noise ${noiseInputs.length}`, "float32", shape)
      noiseInputs.push(value)
      return value
    },
    scope: (name) => builder(`${prefix}${name}.`),
  })
  return { ...builder(""), specs, values, bufferUpdates, noiseInputs }
}

/**
 * Two updates one after the other, as one: (1 - t)((1 - s) b + s o) + t p is (1 - u) b + s (1 - t) o + t p with
 * u = 1 - (1 - s)(1 - t).
 */
function bothUpdates(first: BufferUpdate, second: BufferUpdate): BufferUpdate {
  const share = 1 - (1 - first.share) * (1 - second.share)
  const weighted = add(mul(first.observed, first.share * (1 - second.share)), mul(second.observed, second.share))
  return { observed: share === 0 ? second.observed : mul(weighted, 1 / share), share }
}

function notABuffer({ name }: Value): LearnlossError {
  return new LearnlossError("NOT_A_BUFFER", {
    where: `statistics ${name}`,
    expected: "tensors that the network's file stores for them",
    got: "computed ones",
    fix: "Keep the statistics of normalisation as they are (--freeze-norm).",
  })
}

function nameTaken(name: string): LearnlossError {
  return new LearnlossError("GRAPH_NAME_TAKEN", {
    where: `parameter "${name}"`,
    expected: "a name that no other parameter has",
    got: "a second parameter of that name",
    fix: "Rename it in the network's file; names that begin with `lossModule.` belong to the loss module.",
  })
}

function weight(source: TensorMap, name: string, shape: Shape): Tensor {
  const tensor = source.get(name)
  if (tensor === undefined || tensor.shape.join() !== shape.join()) {
    throw new InternalError(
      `weight ${name}: expected [${shape}], got ${tensor === undefined ? "none" : `[${tensor.shape}]`}`,
    )
  }
  return tensor
}
