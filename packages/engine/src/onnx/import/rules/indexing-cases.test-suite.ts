import { intTensor } from "../../../graph/tensor.ts"
import { data, fed, floats, intScalar, ints, type OpCase, type OpCases, stored } from "./op-case.test-suite.ts"

const both = [11, 22]
const x = (...shape: number[]) => data(shape)
const at = (shape: readonly number[], ...values: number[]) => intTensor(shape, values)

export const indexingCases: OpCases = {
  Gather: [
    { opsets: [11, 13, 22], inputs: [x(3, 2), intScalar(1)] },
    { opsets: both, inputs: [x(2, 3, 2), intScalar(-1)], attributes: { axis: 1 } },
    { opsets: both, inputs: [x(5, 2), ints(1, 2, 3)] },
    { opsets: both, inputs: [x(2, 5), ints(4, 2, 0)], attributes: { axis: -1 } },
    { opsets: both, inputs: [x(2, 5), ints(0, 3, 1, 1, -1)], attributes: { axis: 1 } },
    { opsets: both, inputs: [x(4, 2), stored(at([2, 2], 0, 1, 2, 3))] },
    { opsets: both, inputs: [x(4, 2), ints(2, 2)] },
    { opsets: both, inputs: [x(2, 4), ints(3)], attributes: { axis: 1 } },
    { opsets: both, inputs: [x(4, 2), fed(at([2, 2], 0, -1, 2, 0))] },
    { opsets: both, inputs: [x(2, 4), fed(at([], 2))], attributes: { axis: 1 } },
  ],
  GatherElements: [
    { opsets: [11, 13, 22], inputs: [x(3, 2), stored(at([2, 2], 0, 2, -1, 0))] },
    { opsets: both, inputs: [x(2, 3), fed(at([2, 4], 0, 2, 1, 1, -1, 0, 0, 2))], attributes: { axis: 1 } },
  ],
  GatherND: [
    { opsets: [11, 12, 13, 22], inputs: [x(2, 3), stored(at([2, 2], 0, 1, 1, -1))] },
    { opsets: both, inputs: [x(3, 2, 2), fed(at([2, 1], 2, 0))] },
    { opsets: both, inputs: [x(2, 2), fed(at([2, 1, 2], 0, 1, 1, 0))] },
    { opsets: [12, 22], inputs: [x(2, 3, 2), fed(at([2, 1], 2, 0))], attributes: { batch_dims: 1 } },
    {
      opsets: [12],
      inputs: [x(2, 3, 2), stored(at([2, 2, 2], 2, 0, 1, 1, 0, 0, 1, 0))],
      attributes: { batch_dims: 1 },
    },
    { opsets: [12], inputs: [x(2, 2, 3), fed(at([2, 2, 1], 2, 0, 1, 1))], attributes: { batch_dims: 2 } },
  ],
  ScatterElements: [
    { opsets: [11, 13, 16, 22], inputs: [x(3, 2), stored(at([2, 2], 0, 2, 1, 0)), x(2, 2)] },
    { opsets: both, inputs: [x(2, 4), fed(at([2, 2], 0, 3, 1, -2)), x(2, 2)], attributes: { axis: 1 } },
    {
      opsets: [16, 18, 22],
      inputs: [x(2, 3), fed(at([2, 3], 0, 0, 1, 2, 2, 2)), x(2, 3)],
      attributes: { axis: 1, reduction: "add" },
    },
  ],
  ScatterND: [
    { opsets: [11, 13, 16, 22], inputs: [x(4, 2), stored(at([2, 1], 3, 1)), x(2, 2)] },
    { opsets: both, inputs: [x(2, 3), fed(at([2, 2], 0, 1, 1, 2)), x(2)] },
    { opsets: [16, 22], inputs: [x(3), fed(at([3, 1], 0, 2, 0)), x(3)], attributes: { reduction: "add" } },
  ],
  OneHot: [
    { opsets: both, inputs: [fed(at([3], 0, 2, 1)), intScalar(3), floats(0, 1)] },
    { opsets: both, inputs: [fed(at([2, 2], 0, -1, 1, 3)), ints(4), floats(-1, 2)], attributes: { axis: 1 } },
    { opsets: both, inputs: [fed(at([2], 0, 5)), intScalar(3), stored(at([2], 0, 7))], attributes: { axis: 0 } },
  ].map((each): OpCase => ({ ...each, opsets: [11, 22] })),
}
