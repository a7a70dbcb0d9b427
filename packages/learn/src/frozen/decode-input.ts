import { openImage, pixelsOf } from "../data/decode-image.ts"
import { normalizationTable } from "../data/normalization.ts"

/** How an image is brought to the size of a network's input. */
const fitNames = ["cover", "stretch", "letterbox"] as const
/**
 * `cover` fills the input and cuts off what stands out, `stretch` changes the proportions, `letterbox` shows the whole
 * image and fills the rest with grey.
 */
export type Fit = (typeof fitNames)[number]

/** Everything that turns an image file into a network's input. */
export interface Preprocessing {
  /** Size of the input in pixels. */
  readonly height: number
  readonly width: number
  /** 3 for red, green and blue, 1 for grey. */
  readonly channels: number
  readonly layout: "channels-first" | "channels-last"
  readonly fit: Fit
  /** Type of the input; `uint8` takes pixels as they are. */
  readonly dataType: "float32" | "uint8"
  /** Per channel, of pixels scaled to 0..1. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** The grey that detectors of the YOLO family are trained with around their images. */
const letterboxGrey = { r: 114, g: 114, b: 114 }

/**
 * Decodes an image file to a network's size: interleaved [H, W, C] uint8, upright, 8-bit sRGB or grey.
 *
 * @throws LearnlossError `BAD_IMAGE` for a file that is no image, damaged, cut off or oversized
 */
export async function decodeInput(path: string, preprocessing: Preprocessing): Promise<Uint8Array> {
  const { height, width, channels, fit } = preprocessing
  const image = await openImage(path)
  // A triangle filter, widened when it shrinks: what PyTorch's and Pillow's bilinear resize do.
  const resized = image.resize(width, height, {
    fit: fit === "stretch" ? "fill" : fit === "letterbox" ? "contain" : "cover",
    position: "centre",
    background: letterboxGrey,
    kernel: "linear",
  })
  return await pixelsOf(path, resized.toColourspace(channels === 1 ? "b-w" : "srgb"))
}

/**
 * What each pixel value becomes: (value / 255 - mean) / std, or the value itself for `uint8` inputs.
 *
 * @returns [C, 256]
 */
export function valueTable({ dataType, channels, mean, std }: Preprocessing): Float32Array {
  if (dataType === "float32") return normalizationTable({ mean, std })
  return Float32Array.from({ length: channels * 256 }, (_, index) => index % 256)
}

/**
 * Writes an image's values into a batch, in the network's layout.
 *
 * @param pixels [H, W, C]
 * @param table of `valueTable`
 * @param out receives height * width * channels values from `offset` on
 */
export function writePixels(
  pixels: Uint8Array,
  { channels, layout }: Pick<Preprocessing, "channels" | "layout">,
  table: Float32Array,
  out: Float32Array | Uint8Array,
  offset: number,
): void {
  const area = pixels.length / channels
  const [pixelStep, channelStep] = layout === "channels-first" ? [1, area] : [channels, 1]
  for (let channel = 0; channel < channels; channel++) {
    const row = channel * 256
    let to = offset + channel * channelStep
    for (let from = channel; from < pixels.length; from += channels, to += pixelStep) {
      out[to] = table[row + (pixels[from] as number)] as number
    }
  }
}
