import { absent, data, floats, ints, type OpCase, type OpCases } from "./op-case.test-suite.ts"

const x = (...shape: number[]) => data(shape)
const every = [11, 13, 18, 22]

const scaled = (attributes: Record<string, string | number>, ...scales: number[]): OpCase => ({
  opsets: every,
  inputs: [x(1, 2, 4, 3), floats(), floats(1, 1, ...scales)],
  attributes,
})
const sized = (attributes: Record<string, string | number>, ...sizes: number[]): OpCase => ({
  opsets: every,
  inputs: [x(1, 2, 4, 5), floats(), floats(), ints(1, 2, ...sizes)],
  attributes,
})

const coordinates = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
const nearestModes = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]

const antialiased = ["linear", "cubic"].flatMap((mode) =>
  [0, 1].flatMap((exclude_outside) => [
    ...coordinates.flatMap((coordinate_transformation_mode): OpCase[] => {
      const attributes = { mode, exclude_outside, coordinate_transformation_mode, antialias: 1 }
      return [
        { opsets: [18, 22], inputs: [x(1, 2, 7, 9), floats(), floats(1, 1, 0.5, 0.4)], attributes },
        { opsets: [18], inputs: [x(2, 1, 5, 8), floats(), floats(), ints(2, 1, 2, 3)], attributes },
        { opsets: [18], inputs: [x(1, 1, 6, 3), floats(), floats(), ints(1, 1, 1, 7)], attributes },
        { opsets: [18], inputs: [x(1, 2, 6, 4), floats(), floats(1, 1, 0.5, 2)], attributes },
        {
          opsets: [18],
          inputs: [x(1, 2, 7, 4), floats(), floats(0.3, 1), absent],
          attributes: { ...attributes, axes: [2, 3] },
        },
      ]
    }),
  ]),
)

const cropped = ["nearest", "linear", "cubic"].flatMap((mode): OpCase[] => {
  const attributes = { mode, coordinate_transformation_mode: "tf_crop_and_resize" }
  const outside = { ...attributes, extrapolation_value: { float: 2.5 } }
  const inner = floats(0, 0, 0.2, 0.1, 1, 1, 0.7, 0.9)
  const outer = floats(0, 0, -0.3, 0.1, 1, 1, 0.7, 1.4)
  const input = x(1, 2, 5, 6)
  return [
    { opsets: every, inputs: [input, inner, floats(), ints(1, 2, 3, 4)], attributes },
    { opsets: every, inputs: [input, outer, floats(), ints(1, 2, 4, 7)], attributes },
    { opsets: [11, 22], inputs: [input, outer, floats(), ints(1, 2, 4, 7)], attributes: outside },
    { opsets: [11, 22], inputs: [input, inner, floats(1, 1, 2, 0.2)], attributes: outside },
    { opsets: [11, 22], inputs: [input, inner, floats(), ints(1, 2, 5, 3)], attributes: outside },
    {
      opsets: [18],
      inputs: [input, floats(0.9, 0, 0.1, 2), floats(), ints(4, 3)],
      attributes: { ...outside, axes: [2, 3] },
    },
  ]
})

export const resizeCases: OpCases = {
  Resize: [
    scaled({ mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }, 2, 2),
    scaled({}, 2, 3),
    ...coordinates.flatMap((coordinate_transformation_mode) => [
      ...nearestModes.flatMap((nearest_mode) => {
        const attributes = { mode: "nearest", coordinate_transformation_mode, nearest_mode }
        return [
          scaled(attributes, 2, 1.5),
          scaled(attributes, 0.5, 0.7),
          sized(attributes, 7, 3),
          sized(attributes, 2, 10),
        ]
      }),
      ...["linear", "cubic"].flatMap((mode) => [
        scaled({ mode, coordinate_transformation_mode }, 2, 2),
        scaled({ mode, coordinate_transformation_mode }, 0.5, 1.4),
        sized({ mode, coordinate_transformation_mode }, 7, 3),
        sized({ mode, coordinate_transformation_mode }, 1, 1),
      ]),
    ]),
    { ...scaled({ mode: "nearest", coordinate_transformation_mode: "tf_half_pixel_for_nn" }, 2, 1.5), opsets: [11] },
    ...["nearest", "linear", "cubic"].map((mode) => ({
      ...sized({ mode, coordinate_transformation_mode: "half_pixel_symmetric" }, 7, 3),
      opsets: [19, 22],
    })),
    scaled({ mode: "cubic", cubic_coeff_a: -0.5 }, 2, 0.6),
    scaled({ mode: "cubic", exclude_outside: 1 }, 2, 0.6),
    { ...scaled({ mode: "cubic", cubic_coeff_a: -0.5, antialias: 1 }, 2, 0.6), opsets: [18, 22] },
    { ...scaled({ mode: "linear", antialias: 1 }, 1.2, 0.6), opsets: [18, 22] },
    { opsets: [18], inputs: [x(2, 3, 9), floats(), floats(1, 1, 0.4)], attributes: { mode: "linear", antialias: 1 } },
    { opsets: [18], inputs: [x(8, 5), floats(), floats(0.4, 0.5)], attributes: { mode: "linear", antialias: 1 } },
    {
      opsets: [18],
      inputs: [x(1, 8, 5, 2), floats(), floats(1, 0.4, 0.5, 1)],
      attributes: { mode: "linear", antialias: 1 },
    },
    {
      opsets: [18],
      inputs: [x(1, 1, 5, 4), floats(), floats(), ints(1, 1, 5, 2)],
      attributes: { mode: "cubic", antialias: 1 },
    },
    ...antialiased,
    ...cropped,
    { opsets: every, inputs: [x(2, 3, 4), floats(), floats(1, 1, 2)], attributes: { mode: "nearest" } },
    { opsets: every, inputs: [x(2, 3, 4), floats(), floats(1, 1, 2)], attributes: { mode: "linear" } },
    { opsets: every, inputs: [x(3, 4), floats(), floats(1.5, 2)], attributes: { mode: "linear" } },
    { opsets: every, inputs: [x(1, 4, 3, 2), floats(), floats(1, 2, 2, 1)], attributes: { mode: "nearest" } },
    { opsets: [11, 13], inputs: [x(1, 1, 2, 2), floats(), floats(), ints(1, 1, 4, 4)], attributes: { mode: "linear" } },
    { opsets: [11, 13], inputs: [x(1, 1, 2, 2), floats(), floats(1, 1, 2, 2)], attributes: { mode: "linear" } },
    { opsets: [18, 22], inputs: [x(1, 2, 3, 4), floats(), floats(2, 2)], attributes: { mode: "linear", axes: [2, 3] } },
    { opsets: [18, 22], inputs: [x(1, 2, 3, 4), floats(), floats(), ints(6, 5)], attributes: { axes: [3, 2] } },
    ...["not_larger", "not_smaller"].map((keep_aspect_ratio_policy) => ({
      opsets: [18, 22],
      inputs: [x(1, 1, 4, 6), floats(), floats(), ints(7, 8)],
      attributes: { axes: [2, 3], keep_aspect_ratio_policy, mode: "linear" },
    })),
  ],
}
