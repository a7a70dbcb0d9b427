import { data, distinct, type OpCase, type OpCases } from "./op-case.test-suite.ts"

const both = [11, 22]
const x = (...shape: number[]) => data(shape)
const apart = (...shape: number[]) => data(shape, distinct)

const windows = (input: (...shape: number[]) => ReturnType<typeof data>): readonly OpCase[] => [
  { opsets: both, inputs: [input(2, 2, 4, 5)], attributes: { kernel_shape: [2, 3] } },
  {
    opsets: both,
    inputs: [input(1, 2, 6, 6)],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  { opsets: both, inputs: [input(1, 1, 5, 7)], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  {
    opsets: both,
    inputs: [input(1, 1, 6, 5)],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 1], ceil_mode: 1 },
  },
  { opsets: both, inputs: [input(1, 2, 9)], attributes: { kernel_shape: [3], strides: [2], pads: [1, 0] } },
  { opsets: both, inputs: [input(1, 1, 6)], attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1 } },
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto_pad): OpCase[] => [
    { opsets: both, inputs: [input(1, 1, 5, 6)], attributes: { auto_pad, kernel_shape: [2, 3], strides: [2, 2] } },
    { opsets: both, inputs: [input(1, 2, 7)], attributes: { auto_pad, kernel_shape: [4], strides: [2] } },
  ]),
]

export const poolingCases: OpCases = {
  MaxPool: [
    ...windows(apart),
    { opsets: both, inputs: [apart(1, 1, 7, 7)], attributes: { kernel_shape: [2, 3], dilations: [3, 2] } },
    {
      opsets: both,
      inputs: [apart(1, 1, 8)],
      attributes: { kernel_shape: [2], dilations: [2], ceil_mode: 1, strides: [2] },
    },
    { opsets: both, inputs: [apart(2, 2, 4, 4)], attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: 2 },
    { opsets: both, inputs: [apart(2, 2, 6)], attributes: { kernel_shape: [2], strides: [2] }, outputs: 2 },
    { opsets: both, inputs: [apart(1, 2, 4, 6)], attributes: { kernel_shape: [2, 2], storage_order: 1 } },
    { opsets: both, inputs: [apart(2, 3, 4, 6)], attributes: { kernel_shape: [2, 2], storage_order: 1 }, outputs: 2 },
    { opsets: both, inputs: [apart(2, 2, 6)], attributes: { kernel_shape: [2], storage_order: 1 }, outputs: 2 },
  ],
  AveragePool: [
    ...windows(x),
    ...windows(x).map((each) => ({ ...each, attributes: { ...each.attributes, count_include_pad: 1 } })),
    { opsets: [19, 22], inputs: [x(1, 2, 7, 7)], attributes: { kernel_shape: [2, 3], dilations: [3, 2] } },
    {
      opsets: [19, 22],
      inputs: [x(2, 1, 5, 6)],
      attributes: { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 0, 1], strides: [2, 1] },
    },
    {
      opsets: [19, 22],
      inputs: [x(1, 1, 8)],
      attributes: { kernel_shape: [3], dilations: [2], pads: [2, 1], count_include_pad: 1 },
    },
    ...[0, 1].flatMap((count_include_pad): OpCase[] => {
      const attributes = { kernel_shape: [2, 3], dilations: [2, 2], strides: [3, 2], ceil_mode: 1, count_include_pad }
      return [
        { opsets: [19, 22], inputs: [x(1, 2, 7, 8)], attributes },
        { opsets: [19, 22], inputs: [x(2, 1, 6, 9)], attributes: { ...attributes, pads: [1, 0, 1, 2] } },
        { opsets: [19, 22], inputs: [x(1, 1, 8, 6)], attributes: { ...attributes, pads: [0, 2, 1, 1] } },
      ]
    }),
  ],
  GlobalAveragePool: [
    { opsets: both, inputs: [x(2, 3, 2, 4)] },
    { opsets: both, inputs: [x(2, 3, 4)] },
    { opsets: both, inputs: [x(1, 2, 2, 3, 2)] },
  ],
  GlobalMaxPool: [
    { opsets: both, inputs: [apart(2, 3, 2, 4)] },
    { opsets: both, inputs: [apart(2, 3, 4)] },
    { opsets: both, inputs: [apart(1, 2, 2, 3, 2)] },
  ],
}
