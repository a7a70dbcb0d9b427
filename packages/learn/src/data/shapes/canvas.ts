import type { Rng } from "@learnloss/engine"
import { type Colour, drawColour } from "./paint.ts"

/** Something to paint on. */
export interface Canvas {
  readonly width: number
  readonly height: number
  /** [H, W, 3], 0..255. */
  readonly values: Float32Array
}

export function createCanvas(width: number, height: number): Canvas {
  return { width, height, values: new Float32Array(3 * width * height) }
}

/** Fills the canvas with a colour and adds three plane waves of random direction and colour. */
export function paintWaves({ width, height, values }: Canvas, ground: Colour, rng: Rng): void {
  for (let index = 0; index < values.length; index++) values[index] = ground[index % 3] as number
  for (let wave = 0; wave < 3; wave++) {
    const [angle, frequency] = [2 * Math.PI * rng.float(), 0.04 + 0.4 * rng.float()]
    const [red, green, blue] = [20 * rng.float() - 10, 20 * rng.float() - 10, 20 * rng.float() - 10]
    const phase = 2 * Math.PI * rng.float()
    const [stepX, stepY] = [frequency * Math.cos(angle), frequency * Math.sin(angle)]
    // sin(a + b) from the sines and cosines of rows and columns, which are few.
    const sines = Float64Array.from({ length: width }, (_, column) => Math.sin(stepX * column))
    const cosines = Float64Array.from({ length: width }, (_, column) => Math.cos(stepX * column))
    for (let row = 0, index = 0; row < height; row++) {
      const [sine, cosine] = [Math.sin(stepY * row + phase), Math.cos(stepY * row + phase)]
      for (let column = 0; column < width; column++, index += 3) {
        const crest = sine * at(cosines, column) + cosine * at(sines, column)
        values[index] = at(values, index) + crest * red
        values[index + 1] = at(values, index + 1) + crest * green
        values[index + 2] = at(values, index + 2) + crest * blue
      }
    }
  }
}

/** Draws a straight stroke of random place, length, width and colour. */
export function paintStroke(canvas: Canvas, rng: Rng): void {
  const colour = drawColour(20, 235, rng)
  const angle = 2 * Math.PI * rng.float()
  const [stepX, stepY] = [Math.cos(angle), Math.sin(angle)]
  const [x, y] = [canvas.width * rng.float(), canvas.height * rng.float()]
  const [length, width] = [10 + rng.integer(50), 1 + rng.integer(3)]
  for (let along = 0; along < length; along++) {
    for (let across = 0; across < width; across++) {
      const column = Math.floor(x + along * stepX - across * stepY)
      const row = Math.floor(y + along * stepY + across * stepX)
      if (column >= 0 && row >= 0 && column < canvas.width && row < canvas.height)
        blend(canvas, column, row, 0.8, colour)
    }
  }
}

/** Lays a colour over a pixel. */
export function blend({ width, values }: Canvas, column: number, row: number, weight: number, colour: Colour): void {
  const index = 3 * (row * width + column)
  for (let channel = 0; channel < 3; channel++) {
    const below = at(values, index + channel)
    values[index + channel] = below + weight * ((colour[channel] as number) - below)
  }
}

function at(values: Float32Array | Float64Array, index: number): number {
  return values[index] as number
}
