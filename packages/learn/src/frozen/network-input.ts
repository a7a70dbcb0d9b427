import { LearnlossError, type OnnxModel, type OnnxValueInfo, type Shape } from "@learnloss/engine"
import { normalizationPerChannel } from "../data/normalization.ts"
import type { Fit, Preprocessing } from "./decode-input.ts"

/** What a user may say of how images enter the network. */
export interface InputSettings {
  readonly imageSize?: { readonly height: number; readonly width: number } | undefined
  readonly fit?: Fit | undefined
  /** One value for all channels, or one for each. */
  readonly mean?: readonly number[] | undefined
  readonly std?: readonly number[] | undefined
}

/** A network's only input, which takes images. */
export interface ImageInput extends Omit<Preprocessing, "fit" | "mean" | "std"> {
  readonly name: string
}

/** The shape of a batch of images. */
export function batchShape(input: Pick<ImageInput, "channels" | "height" | "width" | "layout">, batch: number): Shape {
  const { channels, height, width, layout } = input
  return layout === "channels-first" ? [batch, channels, height, width] : [batch, height, width, channels]
}

/**
 * Finds out how a network takes images: [B, C, H, W] or [B, H, W, C] with one or three channels.
 *
 * @throws LearnlossError `MODEL_INPUT` for a network that takes anything else, `IMAGE_SIZE_OPEN` where neither the file nor
 * the settings tell the size, `IMAGE_SIZE` where they differ
 */
export function findImageInput(model: OnnxModel, { imageSize }: InputSettings): ImageInput {
  const [input] = model.inputs
  if (input === undefined || model.inputs.length > 1) {
    const names = model.inputs.map(({ name }) => name).join(", ")
    throw unfit(model, "one input, which takes images", model.inputs.length === 0 ? "none" : names)
  }
  const { dataType = "float32", shape } = input
  if (dataType !== "float32" && dataType !== "uint8") {
    throw unfit(model, "a float32 or uint8 input", dataType, "Export the network with a float32 input.")
  }
  if (shape !== undefined && shape.length !== 4) {
    throw unfit(model, "an input [B, C, H, W] or [B, H, W, C]", describe(input))
  }
  const [, second, third, last] = shape ?? []
  const isLast = !isChannels(second) && isChannels(last)
  const channels = isLast ? last : (second ?? 3)
  if (typeof channels === "number" && !isChannels(channels)) {
    throw unfit(model, "an input of 1 or 3 channels", describe(input))
  }
  const size = sizeOfImages(model, input, isLast ? [second, third] : [third, last], imageSize)
  return {
    name: input.name,
    layout: isLast ? "channels-last" : "channels-first",
    channels: typeof channels === "number" ? channels : 3,
    dataType,
    ...size,
  }
}

function sizeOfImages(
  model: OnnxModel,
  input: OnnxValueInfo,
  [height, width]: readonly (number | string | undefined)[],
  wanted: InputSettings["imageSize"],
): { height: number; width: number } {
  const usual = wanted ?? ultralyticsSize(model)
  const differs =
    wanted !== undefined &&
    ((typeof height === "number" && height !== wanted.height) || (typeof width === "number" && width !== wanted.width))
  if (differs) {
    throw new LearnlossError("IMAGE_SIZE", {
      where: "--image-size",
      expected: `${height}x${width}, which the network was exported for`,
      got: `${wanted.height}x${wanted.width}`,
      fix: "Leave --image-size out, or export the network for this size.",
    })
  }
  const found = {
    height: typeof height === "number" ? height : usual?.height,
    width: typeof width === "number" ? width : usual?.width,
  }
  if (found.height !== undefined && found.width !== undefined) return { height: found.height, width: found.width }
  throw new LearnlossError("IMAGE_SIZE_OPEN", {
    where: `${model.where}, input "${input.name}"`,
    expected: "the size of its images",
    got: describe(input),
    fix: "Say the size with --image-size, such as --image-size 224 or --image-size 480x640 (height x width).",
  })
}

/**
 * Settles how images are brought into the network. What the user leaves open follows from what the network gives out:
 * detectors of the YOLO family tell their name in the file; others are taken for classifiers if they give a row of scores.
 *
 * @param outputs shapes of the network's outputs, batch included
 * @returns the preprocessing, and a line that tells a person what was chosen
 * @throws LearnlossError `NORMALIZATION` for means or deviations that do not fit the channels
 */
export function settlePreprocessing(
  model: OnnxModel,
  { name: _, ...input }: ImageInput,
  outputs: readonly Shape[],
  settings: InputSettings,
): { readonly preprocessing: Preprocessing; readonly notice: string } {
  const { channels } = input
  const hasPositions = outputs.some((shape) => shape.length > 2)
  const isUltralytics = model.metadata.get("author") === "Ultralytics"
  const fit = settings.fit ?? (hasPositions ? "letterbox" : "cover")
  const plain = { mean: [0], std: [1] }
  const own = ownNormalization(model, channels)
  const usual =
    own ?? (isUltralytics || channels === 1 ? plain : { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })
  const given = { mean: settings.mean ?? usual.mean, std: settings.std ?? usual.std }
  const { mean, std } = normalizationPerChannel(given, channels)
  const chosen = {
    "--fit": settings.fit === undefined,
    "--mean": settings.mean === undefined && input.dataType === "float32",
    "--std": settings.std === undefined && input.dataType === "float32",
  }
  const names = Object.entries(chosen).flatMap(([option, isOpen]) => (isOpen ? [option] : []))
  const values = input.dataType === "uint8" ? "pixel values as they are" : `mean ${shortly(mean)} std ${shortly(std)}`
  const colours = channels === 1 ? "grey" : "RGB"
  const notice = `Images: ${input.height}x${input.width} ${colours}, ${fit}, ${values}${names.length === 0 ? "" : ` (chosen here: ${names.join(" ")}; they must be what the network was trained with)`}`
  return { preprocessing: { ...input, fit, mean, std }, notice }
}

/** Ultralytics writes the size that a network was exported for into its file, as `[640, 640]`. */
function ultralyticsSize({ metadata }: OnnxModel): { height: number; width: number } | undefined {
  const [height, width] = (metadata.get("imgsz") ?? "").match(/\d+/g)?.map(Number) ?? []
  return height === undefined || width === undefined ? undefined : { height, width }
}

function shortly(values: readonly number[]): string {
  return values.map((value) => Number(value.toFixed(4))).join(",")
}

/** What learnloss wrote into a file that it exported; others may mean anything by the same keys. */
function ownNormalization(
  { metadata, producer }: OnnxModel,
  channels: number,
): { mean: number[]; std: number[] } | undefined {
  if (producer.name !== "learnloss") return undefined
  const [mean, std] = ["mean", "std"].map((key) =>
    metadata
      .get(key)
      ?.match(/-?\d[\d.e+-]*/g)
      ?.map(Number),
  )
  if (mean?.length !== channels || std?.length !== channels) return undefined
  return { mean, std }
}

function isChannels(length: number | string | undefined): length is 1 | 3 {
  return length === 1 || length === 3
}

function describe({ name, shape }: OnnxValueInfo): string {
  return shape === undefined
    ? `"${name}" without a shape`
    : `"${name}" [${shape.map((length) => length ?? "?").join(", ")}]`
}

function unfit(model: OnnxModel, expected: string, got: string, fix?: string): LearnlossError {
  return new LearnlossError("MODEL_INPUT", {
    where: model.where,
    expected,
    got,
    fix: fix ?? "Export the part of the network that takes images.",
  })
}
