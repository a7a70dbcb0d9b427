import { op, type Value } from "@learnloss/engine"
import type { FileEnding } from "../task.ts"
import { leastHeight } from "./decode-pose.ts"

/**
 * Ends a written network as the task's decoding does: the peak of each map of the last stack, moved by at most half a pixel
 * on each axis to where a Gaussian through it and its two neighbours would be highest. The file gives `joints` [B, J, 2], x
 * and y in shares of the crop, and `scores` [B, J], the heights of the peaks, 0..1.
 *
 * @param output [B, stacks, J, H, W] float32
 */
export function fileEnding(output: Value): FileEnding {
  const [batch, stacks, joints, height, width] = output.shape as [number, number, number, number, number]
  const maps = op.reshape(op.slice(output, 1, stacks - 1, stacks), [batch, joints, height * width])
  const peaks = op.argMax(maps, 2, true) // [B, J, 1]
  const place = op.cast(peaks, "float32")
  // Half a pixel more keeps the quotient clear of whole numbers, where rounding would decide.
  const row = op.floor(op.div(op.add(place, 0.5), width))
  const column = op.sub(place, op.mul(row, width))
  const heightAt = (offset: number): Value => {
    const inside = op.clip(op.add(place, offset), 0, height * width - 1)
    return op.gatherElements(maps, op.cast(inside, "int64"), 2)
  }
  const top = heightAt(0)
  const along = (position: Value, length: number, step: number): Value => {
    const isInner = op.and(op.greater(position, 0), op.less(position, length - 1))
    const shift = op.where(isInner, peakShift(heightAt(-step), top, heightAt(step)), 0)
    return op.div(op.add(op.add(position, shift), 0.5), length)
  }
  return {
    outputs: {
      joints: op.concat([along(column, width, 1), along(row, height, width)], 2),
      scores: op.reshape(op.clip(top, 0, 1), [batch, joints]),
    },
  }
}

/** How far the vertex of the parabola through three logarithms lies from the middle one, -0.5..0.5. */
function peakShift(before: Value, top: Value, after: Value): Value {
  const logarithm = (value: Value) => op.log(op.max(value, leastHeight))
  const [low, middle, high] = [logarithm(before), logarithm(top), logarithm(after)]
  const slope = op.sub(high, low)
  const bend = op.sub(op.mul(middle, 2), op.add(high, low))
  const isPeak = op.greater(bend, 0)
  const shift = op.div(op.mul(slope, 0.5), op.where(isPeak, bend, 1))
  return op.where(isPeak, op.clip(shift, -0.5, 0.5), 0)
}
