import type { Rng } from "@learnloss/engine"
import { brighten, contrast, reorder, saturate, turnHue } from "./colours.ts"

/** One change of all colours, of values 0..255. */
export type ColourChange =
  /** Added to every channel. */
  | { readonly kind: "brightness"; readonly delta: number }
  /** Every channel times this. */
  | { readonly kind: "contrast"; readonly factor: number }
  /** The HSV saturation times this. */
  | { readonly kind: "saturation"; readonly factor: number }
  /** Added to the HSV hue, in degrees. */
  | { readonly kind: "hue"; readonly degrees: number }
  /** Where red, green and blue come from. */
  | { readonly kind: "channels"; readonly order: readonly [number, number, number] }

const brightest = 32
const contrasts = { least: 0.5, most: 1.5 } as const
const saturations = { least: 0.5, most: 1.5 } as const
const farthestHue = 18

const channelOrders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const

/**
 * Draws SSD's photometric distortion: brightness, contrast, saturation, hue and the order of the channels, each with
 * probability one half; the contrast comes, with probability one half, after saturation and hue instead of before them.
 */
export function drawColourChanges(rng: Rng): ColourChange[] {
  const happens = () => rng.float() < 0.5
  const between = (least: number, most: number) => least + rng.float() * (most - least)
  const changes: ColourChange[] = []
  const drawContrast = () => {
    if (happens()) changes.push({ kind: "contrast", factor: between(contrasts.least, contrasts.most) })
  }
  if (happens()) changes.push({ kind: "brightness", delta: between(-brightest, brightest) })
  const isContrastFirst = happens()
  if (isContrastFirst) drawContrast()
  if (happens()) changes.push({ kind: "saturation", factor: between(saturations.least, saturations.most) })
  if (happens()) changes.push({ kind: "hue", degrees: between(-farthestHue, farthestHue) })
  if (!isContrastFirst) drawContrast()
  if (happens())
    changes.push({ kind: "channels", order: channelOrders[rng.integer(channelOrders.length)] ?? [0, 1, 2] })
  return changes
}

/**
 * Changes colours in place, one change after the other, and rounds to 0..255 once at the end.
 *
 * @param pixels interleaved RGB [N, 3], uint8
 */
export function changeColours(pixels: Uint8Array, changes: readonly ColourChange[]): void {
  if (changes.length === 0) return
  const values = new Float32Array(pixels)
  for (const change of changes) changeAll(values, change)
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    pixels[index] = value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5
  }
}

function changeAll(values: Float32Array, change: ColourChange): void {
  if (change.kind === "brightness") brighten(values, change.delta)
  else if (change.kind === "contrast") contrast(values, change.factor)
  else if (change.kind === "saturation") saturate(values, change.factor)
  else if (change.kind === "hue") turnHue(values, change.degrees)
  else reorder(values, change.order)
}
