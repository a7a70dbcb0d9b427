import { awayFromZero, data, type OpCases, uneven } from "./op-case.test-suite.ts"

const both = [11, 22]
const smooth = [{ opsets: both, inputs: [data([2, 3, 2])] }]
const bent = { opsets: both, inputs: [data([3, 4], awayFromZero)] }

export const activationCases: OpCases = {
  Relu: [bent, { opsets: [13, 14], inputs: [data([], () => 1.3)] }],
  LeakyRelu: [bent, { ...bent, opsets: [11, 16], attributes: { alpha: 0.3 } }],
  PRelu: [
    { opsets: [11, 16], inputs: [data([2, 3, 2, 2], awayFromZero), data([3, 1, 1])] },
    { opsets: both, inputs: [data([2, 4], awayFromZero), data([1])] },
    { opsets: [11], inputs: [data([2, 4], awayFromZero), data([4])] },
  ],
  Elu: [bent, { ...bent, attributes: { alpha: 0.4 } }],
  Selu: [bent, { ...bent, attributes: { alpha: 1.1, gamma: 2.5 } }],
  Celu: [
    { ...bent, opsets: [12, 22] },
    { ...bent, opsets: [12], attributes: { alpha: 0.6 } },
  ],
  Gelu: [
    { opsets: [20, 22], inputs: [data([2, 5])] },
    { opsets: [20], inputs: [data([2, 5])], attributes: { approximate: "tanh" } },
  ],
  Sigmoid: smooth,
  HardSigmoid: [
    { opsets: both, inputs: [data([12], uneven)] },
    { opsets: [11], inputs: [data([12], uneven)], attributes: { alpha: 0.31, beta: 0.43 } },
  ],
  HardSwish: [{ opsets: [14, 22], inputs: [data([16], (rng) => [-4, -2, 0.5, 4][rng.integer(4)] as number)] }],
  Mish: [{ opsets: [18, 22], inputs: [data([2, 5])] }],
  Softplus: smooth,
  Softsign: [bent],
  Tanh: smooth,
}
