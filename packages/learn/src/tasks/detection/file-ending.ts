import { floatTensor, intTensor, type ModelTail, op, type TailNode, type Value } from "@learnloss/engine"
import type { FileEnding } from "../task.ts"
import { centerScale, sizeScale } from "./box-coding.ts"
import { type DecodeSettings, ssdDecoding } from "./decode-detections.ts"

/** What the tail reads: corners [B, P, 4], class probabilities [B, classes, P], and zeros of their shape. */
const read = {
  corners: "corners",
  scores: "class scores",
  nothing: "no scores",
  candidates: "candidate scores",
} as const

/**
 * Ends a written detector as `decodeDetections` does: boxes out of offsets, suppression, and the best of each image, all
 * inside the file. It gives every detection of a batch in one list, N in all, image by image and highest score first:
 * `boxes` [N, 4] (corners x1, y1, x2, y2 relative to the image, 0..1), `scores` [N], `classes` [N] (counted from 0,
 * without the background) and `imageIndex` [N], which image of the batch each is in.
 *
 * @param output [B, P, 4 + 1 + classes]
 * @param defaultBoxes [P, 4] centres and sizes, relative
 */
export function fileEnding(
  output: Value,
  defaultBoxes: Float32Array,
  settings: DecodeSettings = ssdDecoding,
): FileEnding {
  const [, boxes, columns] = output.shape as [number, number, number]
  const corners = decode(output, defaultBoxes)
  const probabilities = op.softmax(op.slice(output, 2, 4, columns))
  const ofClasses = op.transpose(op.slice(probabilities, 2, 1, columns - 4), [0, 2, 1])
  const scores = op.where(isInside(corners), ofClasses, 0)
  const nothing = op.mul(scores, 0)
  return {
    outputs: {
      [read.corners]: corners,
      [read.scores]: scores,
      [read.nothing]: nothing,
      [read.candidates]: best(scores, nothing, settings.candidatesPerClass),
    },
    tail: suppression({ boxes, classes: columns - 5, ...settings }),
  }
}

/** [B, P, 4 + 1 + classes] to corners [B, P, 4], as SSD codes boxes. */
function decode(output: Value, defaultBoxes: Float32Array): Value {
  const boxes = output.shape[1] as number
  const half = (first: number) =>
    output.graph.constant(
      floatTensor(
        [boxes, 2],
        Float32Array.from(
          { length: boxes * 2 },
          (_, index) => defaultBoxes[4 * (index >> 1) + first + (index & 1)] ?? 0,
        ),
      ),
      "default boxes",
    )
  const [centers, sizes] = [half(0), half(2)]
  const center = op.add(centers, op.mul(op.mul(op.slice(output, 2, 0, 2), centerScale), sizes))
  const reach = op.mul(op.mul(sizes, op.exp(op.mul(op.slice(output, 2, 2, 4), sizeScale))), 0.5)
  return op.concat([op.sub(center, reach), op.add(center, reach)], 2)
}

/** Whether part of each box lies in the image: [B, P, 4] to [B, 1, P]. */
function isInside(corners: Value): Value {
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map((index) => op.slice(corners, 2, index, index + 1)) as [
    Value,
    Value,
    Value,
    Value,
  ]
  const conditions = [
    op.less(x1, 1),
    op.less(y1, 1),
    op.greater(x2, 0),
    op.greater(y2, 0),
    op.greater(x2, x1),
    op.greater(y2, y1),
  ]
  return op.transpose(conditions.reduce(op.and), [0, 2, 1])
}

/** The scores of each class that enter its suppression; zero for all others. */
function best(scores: Value, nothing: Value, most: number): Value {
  if ((scores.shape[2] as number) <= most) return scores
  const { values, indices } = op.topK(scores, most)
  return op.scatterElements(nothing, indices, values, 2, "none")
}

interface Sizes extends DecodeSettings {
  readonly boxes: number
  readonly classes: number
}

function suppression({ boxes, classes, scoreThreshold, iouThreshold, detectionsPerImage }: Sizes): ModelTail {
  const node = (name: string, outputs: string | string[], inputs: string[], attributes?: TailNode["attributes"]) => ({
    op: name,
    inputs,
    outputs: [outputs].flat(),
    ...(attributes === undefined ? {} : { attributes }),
  })
  const axis = (value: number): TailNode["attributes"] => ({ axis: { kind: "int", value } })
  const number = (value: number) => floatTensor([], Float32Array.of(value))
  return {
    nodes: [
      node("NonMaxSuppression", "free", [read.corners, read.candidates, "most", "iou threshold", "score threshold"]),
      // What stays free is put back where it was, so that the best of an image can be found over all its classes.
      node("GatherND", "free scores", [read.scores, "free"]),
      node("ScatterND", "scores of free", [read.nothing, "free", "free scores"]),
      node("Reshape", "scores of image", ["scores of free", "one row an image"]),
      node("TopK", ["best scores", "best places"], ["scores of image", "most of image"]),
      node("Greater", "is detection", ["best scores", "zero"]),
      node("NonZero", "detection axes", ["is detection"]),
      node("Transpose", "detections", ["detection axes"]),
      node("Gather", "imageIndex", ["detection axes", "first"], axis(0)),
      node("GatherND", "scores", ["best scores", "detections"]),
      node("GatherND", "places", ["best places", "detections"]),
      // Of an image's row, class by class.
      node("Div", "classes", ["places", "box count"]),
      node("Mod", "positions", ["places", "box count"]),
      node("Unsqueeze", "image column", ["imageIndex", "second axis"]),
      node("Unsqueeze", "position column", ["positions", "second axis"]),
      node("Concat", "box places", ["image column", "position column"], axis(1)),
      node("GatherND", "whole boxes", [read.corners, "box places"]),
      node("Clip", "boxes", ["whole boxes", "zero", "one"]),
    ],
    constants: {
      most: intTensor([], [detectionsPerImage]),
      "most of image": intTensor([1], [Math.min(detectionsPerImage, boxes * classes)]),
      "iou threshold": number(iouThreshold),
      "score threshold": number(scoreThreshold),
      "one row an image": intTensor([2], [0, -1]),
      "box count": intTensor([], [boxes]),
      "second axis": intTensor([1], [1]),
      first: intTensor([], [0]),
      zero: number(0),
      one: number(1),
    },
    outputs: {
      boxes: { dtype: "float32", shape: ["detections", 4] },
      scores: { dtype: "float32", shape: ["detections"] },
      classes: { dtype: "int64", shape: ["detections"] },
      imageIndex: { dtype: "int64", shape: ["detections"] },
    },
  }
}
