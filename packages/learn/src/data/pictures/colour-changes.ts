import type { Rng } from "@learnloss/engine"

/** Changes of all colours of a picture, of values 0..255; what it lacks stays as it is. */
export interface ColourChanges {
  /** Added to every channel. */
  readonly brightness?: number
  /** Every channel times this. */
  readonly contrast?: number
  /** The HSV saturation times this. */
  readonly saturation?: number
  /** Added to the HSV hue, in degrees, from -180 to 180. */
  readonly hue?: number
  /** Where red, green and blue are taken from. */
  readonly channels?: readonly [number, number, number]
}

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
 * probability one half. In the reference the contrast comes before or after saturation and hue, at random; neither
 * looks at how long a colour is, so without cutting off in between it is all the same.
 */
export function drawColourChanges(rng: Rng): ColourChanges {
  const happens = () => rng.float() < 0.5
  const between = (least: number, most: number) => least + rng.float() * (most - least)
  return {
    ...(happens() && { brightness: between(-brightest, brightest) }),
    ...(happens() && { contrast: between(contrasts.least, contrasts.most) }),
    ...(happens() && { saturation: between(saturations.least, saturations.most) }),
    ...(happens() && { hue: between(-farthestHue, farthestHue) }),
    ...(happens() && { channels: channelOrders[rng.integer(channelOrders.length)] ?? [0, 1, 2] }),
  }
}

/**
 * Changes colours in place: brightness, contrast, saturation, hue and order of channels, one after the other, rounded
 * and cut off to 0..255 once at the end.
 *
 * @param pixels interleaved RGB [N, 3], uint8
 */
export function changeColours(pixels: Uint8Array, changes: ColourChanges): void {
  const { brightness = 0, contrast = 1, saturation = 1, hue = 0, channels = [0, 1, 2] } = changes
  if (Object.keys(changes).length === 0) return
  const table = Float64Array.from({ length: 256 }, (_, value) => (value + brightness) * contrast)
  if (saturation === 1 && hue === 0) lookUp(pixels, table, channels)
  else turnAndSaturate(pixels, table, saturation, hue / 60, channels)
}

function lookUp(pixels: Uint8Array, table: Float64Array, [first, second, third]: readonly [number, number, number]) {
  const rounded = Uint8Array.from(table, toByte)
  for (let index = 0; index < pixels.length; index += 3) {
    const red = rounded[pixels[index + first] as number] as number
    const green = rounded[pixels[index + second] as number] as number
    const blue = rounded[pixels[index + third] as number] as number
    pixels[index] = red
    pixels[index + 1] = green
    pixels[index + 2] = blue
  }
}

/** @param turn of the hue, in sixths of the circle */
function turnAndSaturate(
  pixels: Uint8Array,
  table: Float64Array,
  saturation: number,
  turn: number,
  [first, second, third]: readonly [number, number, number],
): void {
  const colour = new Float64Array(3)
  for (let index = 0; index < pixels.length; index += 3) {
    const red = table[pixels[index] as number] as number
    const green = table[pixels[index + 1] as number] as number
    const blue = table[pixels[index + 2] as number] as number
    // The largest channel is the value, which stays; the others move from or to it with the saturation.
    const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue
    if (turn === 0) {
      colour[0] = most - (most - red) * saturation
      colour[1] = most - (most - green) * saturation
      colour[2] = most - (most - blue) * saturation
    } else {
      const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue
      const chroma = most - least
      const perChroma = chroma === 0 ? 0 : 1 / chroma
      // Hue as a place on the circle of six colours: red 0, green 2, blue 4.
      let hue =
        most === red
          ? (green - blue) * perChroma
          : most === green
            ? 2 + (blue - red) * perChroma
            : 4 + (red - green) * perChroma
      hue += turn
      const wanted = chroma * saturation
      colour[0] = most - wanted * distance(hue)
      colour[1] = most - wanted * distance(hue - 2)
      colour[2] = most - wanted * distance(hue - 4)
    }
    pixels[index] = toByte(colour[first] as number)
    pixels[index + 1] = toByte(colour[second] as number)
    pixels[index + 2] = toByte(colour[third] as number)
  }
}

/**
 * How far a channel lies below the largest, in chromas: 0 up to one sixth of the circle from its own colour, 1 from two
 * sixths on.
 *
 * @param hue relative to the channel's own colour, within two circles
 */
function distance(hue: number): number {
  let apart = hue < 0 ? -hue : hue
  if (apart > 6) apart -= 6
  if (apart > 3) apart = 6 - apart
  return apart <= 1 ? 0 : apart >= 2 ? 1 : apart - 1
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value + 0.5)
}
