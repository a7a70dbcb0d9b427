import { data, floats, type OpCase, type OpCases } from "./op-case.test-suite.ts"

const both = [11, 22]
const x = (...shape: number[]) => data(shape)

const paddings: readonly OpCase[] = ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"].flatMap((auto_pad): OpCase[] => [
  { opsets: both, inputs: [x(1, 2, 5, 4), x(3, 2, 3, 2)], attributes: { auto_pad, strides: [2, 2] } },
  { opsets: both, inputs: [x(1, 1, 5, 6), x(1, 1, 2, 4)], attributes: { auto_pad, strides: [1, 2] } },
  { opsets: both, inputs: [x(1, 2, 7), x(2, 2, 2)], attributes: { auto_pad } },
  { opsets: both, inputs: [x(1, 1, 8), x(1, 1, 1)], attributes: { auto_pad, strides: [3] } },
])

const transposedPaddings: readonly OpCase[] = ["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto_pad): OpCase[] => [
  { opsets: both, inputs: [x(1, 2, 3, 4), x(2, 1, 3, 3)], attributes: { auto_pad, strides: [2, 2] } },
  { opsets: both, inputs: [x(1, 2, 4), x(2, 2, 4)], attributes: { auto_pad, strides: [1] } },
])

export const convolutionCases: OpCases = {
  Conv: [
    { opsets: both, inputs: [x(2, 3, 5, 4), x(2, 3, 3, 3)] },
    {
      opsets: both,
      inputs: [x(2, 2, 6, 5), x(4, 2, 3, 2), x(4)],
      attributes: { kernel_shape: [3, 2], pads: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2], group: 1 },
    },
    { opsets: both, inputs: [x(1, 4, 4, 4), x(6, 2, 3, 3), x(6)], attributes: { group: 2, pads: [1, 1, 1, 1] } },
    { opsets: both, inputs: [x(2, 3, 4, 4), x(3, 1, 3, 3)], attributes: { group: 3, pads: [1, 1, 1, 1] } },
    { opsets: both, inputs: [x(1, 2, 5, 5), x(4, 1, 2, 2)], attributes: { group: 2, strides: [2, 2] } },
    { opsets: both, inputs: [x(1, 3, 1, 1), x(2, 3, 1, 1), floats(0.5, -0.5)] },
    { opsets: both, inputs: [x(1, 1, 7, 7), x(1, 1, 3, 3)], attributes: { dilations: [2, 3] } },
    { opsets: both, inputs: [x(2, 3, 8), x(4, 3, 3), x(4)], attributes: { pads: [1, 2], strides: [2] } },
    { opsets: both, inputs: [x(1, 4, 9), x(4, 1, 2)], attributes: { group: 4, dilations: [3], kernel_shape: [2] } },
    ...paddings,
  ],
  ConvTranspose: [
    { opsets: both, inputs: [x(2, 3, 3, 2), x(3, 2, 3, 3)] },
    {
      opsets: both,
      inputs: [x(1, 2, 3, 4), x(2, 3, 3, 2), x(3)],
      attributes: { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 2] },
    },
    { opsets: both, inputs: [x(1, 4, 3, 3), x(4, 3, 2, 2), x(6)], attributes: { group: 2, strides: [2, 2] } },
    { opsets: both, inputs: [x(1, 3, 3, 3), x(3, 1, 3, 3)], attributes: { group: 3, pads: [1, 1, 1, 1] } },
    { opsets: both, inputs: [x(1, 2, 3, 3), x(2, 2, 2, 3)], attributes: { dilations: [2, 2] } },
    { opsets: both, inputs: [x(2, 2, 4), x(2, 3, 4), x(3)], attributes: { strides: [2], pads: [1, 1] } },
    { opsets: both, inputs: [x(1, 1, 3), x(1, 2, 3)], attributes: { strides: [2], output_padding: [1] } },
    { opsets: both, inputs: [x(1, 1, 3, 3), x(1, 1, 3, 3)], attributes: { strides: [2, 2], output_shape: [6, 5] } },
    {
      opsets: both,
      inputs: [x(1, 1, 3, 3), x(1, 1, 4, 4)],
      attributes: { strides: [2, 2], output_shape: [5, 7], auto_pad: "SAME_UPPER" },
    },
    { opsets: both, inputs: [x(1, 1, 3), x(1, 1, 4)], attributes: { strides: [2], output_shape: [5] } },
    { opsets: both, inputs: [x(1, 1, 3), x(1, 1, 1)], attributes: { strides: [2], output_shape: [6] } },
    { opsets: both, inputs: [x(1, 1, 3), x(1, 1, 1)], attributes: { strides: [2], auto_pad: "SAME_UPPER" } },
    ...transposedPaddings,
  ],
}
