import * as op from "../../graph/build.ts"
import type { Value } from "../../graph/graph.ts"
import { floatTensor, type Shape } from "../../graph/tensor.ts"
import type { GradientCase } from "../../testing/finite-differences.ts"
import type { GradientCases } from "./draws.test-suite.ts"

const normalize =
  (training: boolean) =>
  (x: Value, scale: Value, bias: Value): Value => {
    const statistic = (...values: number[]) =>
      x.graph.constant(floatTensor(scale.shape, Float32Array.from(values.slice(0, scale.shape[0]))))
    const statistics = [statistic(0.3, -0.2, 0.1), statistic(0.7, 1.6, 1.1)]
    return x.graph.add("BatchNormalization", [x, scale, bias, ...statistics], { epsilon: 1e-3, training })[0] as Value
  }

const one = ({ graph }: Value) => graph.constant(floatTensor([4], Float32Array.of(1, 1, 1, 1)))

const layerNormalization = (shape: Shape, axis: number, epsilon = 1e-5): GradientCase => ({
  inputs: [{ shape }, { shape: shape.slice(axis) }, { shape: shape.slice(axis) }],
  build: (x, scale, bias) => op.layerNormalization(x, scale, bias, axis, epsilon),
})

export const normalizationCases = {
  BatchNormalization: [
    { inputs: [{ shape: [3, 2, 2, 3] }, { shape: [2] }, { shape: [2] }], build: normalize(true) },
    { inputs: [{ shape: [8, 3] }, { shape: [3] }, { shape: [3] }], build: normalize(true) },
    { inputs: [{ shape: [3, 2, 2, 3] }, { shape: [2] }, { shape: [2] }], build: normalize(false) },
  ],
  LayerNormalization: [
    layerNormalization([2, 3, 5], -1),
    layerNormalization([2, 3, 4], 1),
    layerNormalization([3, 4], 1, 0.5),
    layerNormalization([6], 0),
    layerNormalization([2, 2, 2, 3], -2),
    layerNormalization([1, 3, 8], 2, 1e-3),
    // the mean and the inverse deviation are read as well, or alone
    {
      inputs: [{ shape: [2, 2, 4] }, { shape: [4] }, { shape: [4] }],
      build: (x, scale, bias) => x.graph.add("LayerNormalization", [x, scale, bias], { axis: 2, epsilon: 0.1 }),
    },
    {
      inputs: [{ shape: [3, 4] }],
      build: (x) => x.graph.add("LayerNormalization", [x, one(x), one(x)], { axis: 1, epsilon: 0.1 }).slice(2),
    },
  ],
} as const satisfies GradientCases
