import { floatTensor, intTensor } from "../../../graph/tensor.ts"
import {
  absent,
  bools,
  data,
  fed,
  intScalar,
  ints,
  type OpCase,
  type OpCases,
  scalar,
  stored,
} from "./op-case.test-suite.ts"

const both = [11, 22]
const most = Number.MAX_SAFE_INTEGER
/** A number of its own at each position, so that a misplaced one shows. */
const x = (...shape: number[]) => data(shape)

const padded: readonly OpCase[] = [
  { opsets: [11, 13, 18, 22], inputs: [x(2, 3), ints(1, 0, 2, 3)] },
  { opsets: both, inputs: [x(2, 3), ints(1, 0, 2, 3), scalar(-1.5)] },
  { opsets: both, inputs: [x(2, 3), ints(0, 1, 0, 1), scalar(0)], attributes: { mode: "constant" } },
  { opsets: both, inputs: [x(1, 2, 4), ints(0, 0, -1, 0, 1, 2), scalar(0.5)] },
  { opsets: both, inputs: [x(4, 4), ints(-1, 0, 0, -2)] },
  { opsets: [18, 22], inputs: [x(2, 3, 2), ints(1, 2), absent, ints(1)] },
  { opsets: [18], inputs: [x(2, 3, 2), ints(1, 0, 2, 1), scalar(2), ints(-1, 0)] },
  { opsets: [13], inputs: [x(2, 2), ints(0, 1, 0, 0), data([])] },
  { opsets: both, inputs: [fed(intTensor([2], [3, 4])), ints(1, 1), intScalar(7)] },
  ...["reflect", "edge"].flatMap((mode): OpCase[] => [
    { opsets: both, inputs: [x(1, 2, 3, 4), ints(0, 0, 1, 2, 0, 0, 2, 3)], attributes: { mode } },
    { opsets: both, inputs: [x(3), ints(0, 1)], attributes: { mode } },
    { opsets: [18, 22], inputs: [x(2, 3), ints(2, 1), absent, ints(-1)], attributes: { mode } },
  ]),
  { opsets: both, inputs: [x(2, 1), ints(0, 3, 1, 2)], attributes: { mode: "edge" } },
  { opsets: [19, 22], inputs: [x(2, 3), ints(0, 2, 1, 1)], attributes: { mode: "wrap" } },
]

export const layoutCases: OpCases = {
  Identity: [{ opsets: [11, 13, 16, 22], inputs: [x(2, 3)] }],
  Reshape: [
    { opsets: [11, 13, 14, 22], inputs: [x(2, 3, 4), ints(0, -1)] },
    { opsets: both, inputs: [x(2, 3, 4), ints(4, 6)] },
    { opsets: both, inputs: [x(2, 3, 4), ints(2, 0, 2, 2)] },
    { opsets: both, inputs: [x(1), ints()] },
    { opsets: [14, 22], inputs: [x(2, 3), ints(3, 2)], attributes: { allowzero: 1 } },
  ],
  Flatten: [0, 1, 2, 3, -1].map((axis) => ({ opsets: [11, 13, 22], inputs: [x(2, 3, 4)], attributes: { axis } })),
  Transpose: [
    { opsets: both, inputs: [x(2, 3, 4)] },
    { opsets: both, inputs: [x(2, 3, 4)], attributes: { perm: [1, 2, 0] } },
  ],
  Squeeze: [
    { opsets: [11, 12, 13, 22], inputs: [x(1, 2, 1, 3)] },
    { opsets: [11, 12], inputs: [x(1, 2, 1, 3)], attributes: { axes: [0] } },
    { opsets: [11], inputs: [x(1, 2, 1)], attributes: { axes: [-1, 0] } },
    { opsets: [13, 22], inputs: [x(1, 2, 1, 3), ints(2)] },
    { opsets: [13], inputs: [x(1, 2, 1), ints(-1, 0)] },
  ],
  Unsqueeze: [
    { opsets: [11, 12], inputs: [x(2, 3)], attributes: { axes: [0, 3] } },
    { opsets: [11], inputs: [x(2, 3)], attributes: { axes: [-1, 1] } },
    { opsets: [13, 22], inputs: [x(2, 3), ints(0, 3)] },
    { opsets: [13], inputs: [x(2, 3), ints(-1, 1)] },
  ],
  Concat: [
    { opsets: both, inputs: [x(2, 1), x(2, 3)], attributes: { axis: 1 } },
    { opsets: both, inputs: [x(2, 1, 2), x(2, 3, 2), x(2, 1, 2)], attributes: { axis: -2 } },
    { opsets: both, inputs: [x(2, 2)], attributes: { axis: 0 } },
    { opsets: both, inputs: [x(2), stored(floatTensor([1], Float32Array.of(3)))], attributes: { axis: 0 } },
  ],
  Split: [
    { opsets: [11, 12], inputs: [x(2, 5)], outputs: 2, attributes: { axis: 1, split: [2, 3] } },
    { opsets: [11, 12, 13], inputs: [x(4, 2)], outputs: 2 },
    { opsets: [11, 13], inputs: [x(2, 6)], outputs: 3, attributes: { axis: -1 } },
    { opsets: [13, 22], inputs: [x(2, 5), ints(1, 4)], outputs: 2, attributes: { axis: 1 } },
    { opsets: [18, 22], inputs: [x(7, 2)], outputs: 3, attributes: { num_outputs: 3 } },
    { opsets: [18], inputs: [x(3)], outputs: 1, attributes: { num_outputs: 1 } },
  ],
  Slice: [
    { opsets: [11, 13, 22], inputs: [x(4, 5), ints(1, 0), ints(3, 4)] },
    { opsets: both, inputs: [x(4, 5), ints(1), ints(most), ints(1)] },
    { opsets: both, inputs: [x(2, 7), ints(-1), ints(-most), ints(-1), ints(-2)] },
    { opsets: both, inputs: [x(2, 7), ints(5), ints(0), ints(1), ints(-3)] },
    { opsets: both, inputs: [x(2, 7, 3), ints(0, 1), ints(most, -1), ints(2, 1), ints(2, 2)] },
    { opsets: both, inputs: [x(3), ints(-100), ints(100)] },
    { opsets: both, inputs: [x(4), ints(0), ints(-2)] },
    { opsets: [11], inputs: [fed(intTensor([4], [1, 2, 3, 4])), ints(1), ints(3)] },
  ],
  Expand: [
    { opsets: [11, 13, 22], inputs: [x(2, 1, 3), ints(2, 4, 3)] },
    { opsets: both, inputs: [x(3), ints(2, 1)] },
    { opsets: both, inputs: [x(2, 3), ints(1, 1)] },
    { opsets: both, inputs: [x(), ints(2, 2)] },
  ],
  Tile: [
    { opsets: [11, 13, 22], inputs: [x(2, 3), ints(2, 1)] },
    { opsets: both, inputs: [x(2, 1, 3), ints(1, 4, 2)] },
    { opsets: both, inputs: [x(2), ints(1)] },
  ],
  DepthToSpace: [
    { opsets: [11, 13, 22], inputs: [x(2, 8, 2, 3)], attributes: { blocksize: 2 } },
    { opsets: both, inputs: [x(1, 9, 2, 1)], attributes: { blocksize: 3, mode: "CRD" } },
    { opsets: both, inputs: [x(1, 4, 1, 1)], attributes: { blocksize: 2, mode: "DCR" } },
  ],
  SpaceToDepth: [
    { opsets: [11, 13, 22], inputs: [x(2, 2, 4, 6)], attributes: { blocksize: 2 } },
    { opsets: both, inputs: [x(1, 1, 3, 6)], attributes: { blocksize: 3 } },
  ],
  Trilu: [
    { opsets: [14, 22], inputs: [x(3, 4)] },
    { opsets: [14], inputs: [x(2, 3, 3), intScalar(1)], attributes: { upper: 0 } },
    { opsets: [14], inputs: [x(3, 3), intScalar(-1)] },
    { opsets: [14], inputs: [fed(intTensor([2, 2], [1, 2, 3, 4]))] },
  ],
  Cast: [
    { opsets: [11, 13, 19, 22], inputs: [x(2, 3)], attributes: { to: 1 } },
    { opsets: both, inputs: [data([8], (rng) => 5 * rng.normal())], attributes: { to: 7 }, isFlat: true },
    { opsets: both, inputs: [data([4], (_, at) => at - 1)], attributes: { to: 9 }, isFlat: true },
    { opsets: both, inputs: [bools([3], 0, 1, 1)], attributes: { to: 1 } },
    { opsets: both, inputs: [fed(intTensor([3], [0, -2, 5]))], attributes: { to: 9 } },
    { opsets: both, inputs: [fed(intTensor([3], [0, -2, 5]))], attributes: { to: 1 } },
  ],
  CastLike: [
    { opsets: [15, 22], inputs: [x(2, 3), data([1])] },
    { opsets: [15], inputs: [data([8], (rng) => 5 * rng.normal()), fed(intTensor([1], [0]))], isFlat: true },
  ],
  Pad: padded,
}
