import { add, div, mul, sqrt, sub } from "../graph/build.ts"
import type { Value } from "../graph/graph.ts"

/** The value of a parameter after a step, and its optimiser state by slot. */
export interface ParameterUpdate {
  readonly parameter: Value
  readonly state: Readonly<Record<string, Value>>
}

/**
 * An optimiser as a pure elementwise rule that adds nodes. It is applied to all parameters as one flat vector; its state is
 * one vector of the same length per slot, zero at first.
 */
export interface Optimizer {
  readonly slots: readonly string[]
  update(
    parameter: Value,
    gradient: Value,
    state: Readonly<Record<string, Value>>,
    learningRate: Value,
  ): ParameterUpdate
}

/**
 * Stochastic gradient descent as PyTorch has it: g += weightDecay p; v = momentum v + g; p -= learningRate v.
 * The momentum starts at zero, so the first step's v is g.
 */
export function sgd({ momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number }): Optimizer {
  const hasMomentum = momentum !== 0
  return {
    slots: hasMomentum ? ["momentum"] : [],
    update(parameter, gradient, state, learningRate) {
      const decayed = withDecay(gradient, parameter, weightDecay)
      const velocity = hasMomentum ? add(mul(state.momentum as Value, momentum), decayed) : decayed
      return {
        parameter: sub(parameter, mul(velocity, learningRate)),
        state: hasMomentum ? { momentum: velocity } : {},
      }
    },
  }
}

/** What keeps the step finite where no gradient was seen yet: PyTorch's default. */
const rmspropEpsilon = 1e-8

/**
 * RMSprop as PyTorch has it, neither centred nor with momentum: g += weightDecay p; s = smoothing s + (1 - smoothing) g^2;
 * p -= learningRate g / (sqrt(s) + 1e-8). The mean of squares s starts at zero, so the first step is
 * learningRate / sqrt(1 - smoothing) long whatever the gradient.
 */
export function rmsprop(settings: { readonly smoothing: number; readonly weightDecay: number }): Optimizer {
  const { smoothing, weightDecay } = settings
  return {
    slots: ["squares"],
    update(parameter, gradient, state, learningRate) {
      const decayed = withDecay(gradient, parameter, weightDecay)
      const squares = add(mul(state.squares as Value, smoothing), mul(mul(decayed, decayed), 1 - smoothing))
      const direction = div(decayed, add(sqrt(squares), rmspropEpsilon))
      return { parameter: sub(parameter, mul(direction, learningRate)), state: { squares } }
    },
  }
}

function withDecay(gradient: Value, parameter: Value, weightDecay: number): Value {
  return weightDecay === 0 ? gradient : add(gradient, mul(parameter, weightDecay))
}
