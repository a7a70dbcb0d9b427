/**
 * Changes of colours of float pixels, interleaved RGB [N, 3] of values around 0..255, in place. Nothing is cut off at 0
 * and 255 here, so that one change after another loses nothing.
 */

/** Multiplies the HSV saturation; hue and value stay, so each channel moves from or to the largest one. */
export function saturate(values: Float32Array, factor: number): void {
  for (let index = 0; index < values.length; index += 3) {
    const red = values[index] as number
    const green = values[index + 1] as number
    const blue = values[index + 2] as number
    const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue
    values[index] = most - (most - red) * factor
    values[index + 1] = most - (most - green) * factor
    values[index + 2] = most - (most - blue) * factor
  }
}

/** Turns the HSV hue by some degrees; saturation and value stay. */
export function turnHue(values: Float32Array, degrees: number): void {
  const turn = degrees / 60
  for (let index = 0; index < values.length; index += 3) {
    const red = values[index] as number
    const green = values[index + 1] as number
    const blue = values[index + 2] as number
    const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue
    const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue
    const chroma = most - least
    // Grey has no hue.
    if (chroma === 0) continue
    // Hue as a place on the hexagon of six colours, 0..6 from red over green and blue.
    let hue =
      most === red ? (green - blue) / chroma : most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma
    hue += turn
    if (hue < 0) hue += 6
    else if (hue >= 6) hue -= 6
    const sector = Math.floor(hue)
    const along = hue - sector
    const rising = least + chroma * along
    const falling = most - chroma * along
    const isFirst = sector === 0
    values[index] = isFirst || sector === 5 ? most : sector === 1 ? falling : sector === 4 ? rising : least
    values[index + 1] = isFirst ? rising : sector === 1 || sector === 2 ? most : sector === 3 ? falling : least
    values[index + 2] = sector === 2 ? rising : sector === 3 || sector === 4 ? most : sector === 5 ? falling : least
  }
}

/** Takes each channel from where `order` says: [2, 1, 0] gives blue, green, red. */
export function reorder(values: Float32Array, [first, second, third]: readonly [number, number, number]): void {
  for (let index = 0; index < values.length; index += 3) {
    const red = values[index + first] as number
    const green = values[index + second] as number
    const blue = values[index + third] as number
    values[index] = red
    values[index + 1] = green
    values[index + 2] = blue
  }
}

/** Adds to every channel. */
export function brighten(values: Float32Array, delta: number): void {
  for (let index = 0; index < values.length; index++) values[index] = (values[index] as number) + delta
}

/** Multiplies every channel. */
export function contrast(values: Float32Array, factor: number): void {
  for (let index = 0; index < values.length; index++) values[index] = (values[index] as number) * factor
}
