import {
  conv2d,
  type Initializer,
  type NetworkBuilder,
  op,
  sizeOf,
  type Value,
  xavierUniform,
  zeros,
} from "@learnloss/engine"

/**
 * The predictions of SSD: on each source one 3x3 convolution that says, for every default box at every place, four offsets
 * and then the class logits, background first.
 *
 * @param boxes default boxes at each place of each source
 * @returns [B, P, 4 + 1 + classes], in the order of `makeDefaultBoxes`
 */
export function heads(b: NetworkBuilder, sources: readonly Value[], boxes: readonly number[], classes: number): Value {
  const columns = 4 + 1 + classes
  const rows = sources.map((source, index) => {
    const channels = (boxes[index] as number) * columns
    const weight = offsetsAndLogits(columns)
    const y = conv2d(b.scope(String(index)), source, { channels, kernel: 3, padding: 1, weight, bias: zeros })
    const [batch, , height, width] = y.shape as [number, number, number, number]
    return op.reshape(op.transpose(y, [0, 2, 3, 1]), [batch, height * width * (boxes[index] as number), columns])
  })
  return op.concat(rows, 1)
}

/**
 * Xavier's, for offsets and logits as if they were convolutions of their own, as they are in the reference.
 *
 * @param columns numbers of each default box, of which the first four are offsets
 */
function offsetsAndLogits(columns: number): Initializer {
  return (shape, rng) => {
    const [channels, inputs, ...kernel] = shape as [number, number, ...number[]]
    const boxes = channels / columns
    const fan = (outputs: number) => outputs * sizeOf(kernel)
    const start = (outputs: number) => xavierUniform(fan(inputs), fan(boxes * outputs))
    const [offsets, logits] = [start(4)(shape, rng.child("offsets")), start(columns - 4)(shape, rng.child("logits"))]
    const length = fan(inputs)
    for (let channel = 0; channel < channels; channel++) {
      if (channel % columns >= 4) continue
      const [first, last] = [channel * length, (channel + 1) * length]
      ;(logits.data as Float32Array).set((offsets.data as Float32Array).subarray(first, last), first)
    }
    return logits
  }
}
