import { LearnlossError, type OnnxModel, op, type Value } from "@learnloss/engine"
import type { ImageShape } from "../../data/dataset.ts"

import type { FileInput } from "../model.ts"

/**
 * Finds out how a file takes images of a shape.
 *
 * @throws LearnlossError `ONNX_INPUT` when it has several inputs, takes no float32 or images of another size
 */
export function requireImageInput(model: OnnxModel, image: ImageShape): FileInput {
  const { channels, height, width } = image
  const refuse = (expected: string, got: string, fix: string) =>
    new LearnlossError("ONNX_INPUT", { where: `${model.where}, inputs`, expected, got, fix })
  const [input, ...others] = model.inputs
  if (input === undefined || others.length > 0) {
    throw refuse(
      "one input, the images",
      model.inputs.map(({ name }) => name).join(", ") || "none",
      "Export the network with its images as the only input.",
    )
  }
  if (input.dataType !== "float32") {
    throw refuse("float32 images", `${input.dataType ?? "an unknown type"} in ${input.name}`, "Export it in float32.")
  }
  const declared = input.shape?.slice(1)
  const candidates: FileInput[] = [
    { name: input.name, layout: "channels-first", shape: [channels, height, width] },
    { name: input.name, layout: "channels-last", shape: [height, width, channels] },
    { name: input.name, layout: "flat", shape: [channels * height * width] },
  ]
  const fits = ({ shape }: FileInput) =>
    declared === undefined
      ? shape.length === 3
      : declared.length === shape.length && declared.every((length, axis) => isFree(length) || length === shape[axis])
  const found = candidates.find(fits)
  if (found !== undefined) return found
  throw refuse(
    `images of ${channels} x ${height} x ${width} (channels, height, width), which the data have`,
    `${input.name} [${input.shape?.map((length) => length ?? "?").join(", ") ?? "?"}]`,
    "Set imageSize (--image-size) to the network's for a folder of images, which are read in colour; or export the network for this shape.",
  )
}

function isFree(length: number | string | undefined): boolean {
  return typeof length !== "number"
}

/** Images [B, C, H, W] as the file takes them. */
export function inFileLayout(images: Value, { layout, shape }: FileInput): Value {
  if (layout === "channels-last") return op.transpose(images, [0, 2, 3, 1])
  return layout === "flat" ? op.reshape(images, [images.shape[0] as number, ...shape]) : images
}
