import type { ConvAttributes } from "../graph/ops.ts"
import type { ConvProduct } from "./product.ts"

/** How the output gradient is padded so that convolving it gives every input position; undefined where it would be cropped. */
export function backwardPads({
  inputShape,
  weightShape,
  outputShape,
  strides,
  pads,
  dilations,
}: ConvProduct): ConvAttributes["pads"] | undefined {
  const axis = (index: 0 | 1): [number, number] => {
    const reach = dilations[index] * ((weightShape[2 + index] as number) - 1)
    const spreadLength = ((outputShape[2 + index] as number) - 1) * strides[index] + 1
    const before = reach - pads[index]
    return [before, (inputShape[2 + index] as number) + reach - spreadLength - before]
  }
  const [top, bottom] = axis(0)
  const [left, right] = axis(1)
  return Math.min(top, left, bottom, right) < 0 ? undefined : [top, left, bottom, right]
}
