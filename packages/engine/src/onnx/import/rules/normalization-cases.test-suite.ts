import { data, floats, type OpCases, positive, scalar } from "./op-case.test-suite.ts"

const both = [11, 22]
const x = (...shape: number[]) => data(shape)

export const normalizationCases: OpCases = {
  BatchNormalization: [
    { opsets: [11, 14, 15, 22], inputs: [x(2, 3, 2, 2), x(3), x(3), floats(0.1, -0.2, 0.3), floats(1, 0.5, 2)] },
    {
      opsets: both,
      inputs: [x(4, 2), x(2), x(2), floats(0.1, -0.2), floats(1, 0.5)],
      attributes: { epsilon: 0.01, momentum: 0.8 },
    },
    { opsets: both, inputs: [x(2, 2, 3), x(2), x(2), floats(0.1, -0.2), floats(1, 0.5)] },
  ],
  Dropout: [
    { opsets: [11], inputs: [x(2, 3)], attributes: { ratio: 0.3 } },
    { opsets: [12, 22], inputs: [x(2, 3), scalar(0.3)] },
  ],
  LRN: [
    { opsets: [11, 13, 22], inputs: [x(1, 5, 2, 2)], attributes: { size: 3, alpha: { float: 0.5 } } },
    {
      opsets: [13],
      inputs: [x(2, 4, 1, 3)],
      attributes: { size: 5, alpha: { float: 2 }, beta: 0.5, bias: { float: 2 } },
    },
  ],
  InstanceNormalization: [
    { opsets: [11, 22], inputs: [x(2, 3, 3, 2), x(3), x(3)] },
    { opsets: [11], inputs: [x(2, 2, 5), x(2), x(2)], attributes: { epsilon: 0.1 } },
  ],
  GroupNormalization: [
    { opsets: [18, 20], inputs: [x(2, 4, 3, 2), x(2), x(2)], attributes: { num_groups: 2 } },
    { opsets: [21, 22], inputs: [x(2, 4, 3, 2), x(4), x(4)], attributes: { num_groups: 2 } },
    { opsets: [21], inputs: [x(2, 3, 4), x(3), x(3)], attributes: { num_groups: 1, epsilon: 0.01 } },
    { opsets: [21], inputs: [x(1, 2, 3), x(2), x(2)], attributes: { num_groups: 2 } },
  ],
  LayerNormalization: [
    { opsets: [17, 22], inputs: [x(2, 3, 4), x(4), x(4)] },
    { opsets: [17, 22], inputs: [x(2, 3, 4), x(3, 4), x(3, 4)], attributes: { axis: 1, epsilon: 0.01 } },
    { opsets: [17], inputs: [x(2, 3, 4), x(3, 4)], attributes: { axis: -2 } },
    { opsets: [17, 22], inputs: [x(3, 4), x(4), x(4)], outputs: 3 },
    { opsets: [17], inputs: [x(2, 3, 4), x(3, 4), x(4)] },
    { opsets: [17], inputs: [x(2, 2, 3), data([2, 2, 3], positive), x(2, 2, 3)], attributes: { axis: 0 } },
  ],
}
