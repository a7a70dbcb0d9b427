import type { Rng } from "@learnloss/engine"
import type { Outline } from "./outlines.ts"

/** Side of the images of `shapes` in pixels. */
export const imageSide = 32
const pixels = imageSide * imageSide
const fieldSide = 96
/** Half the side of the square that a field covers, in radii of the shape. */
const fieldReach = 1.5
const noiseLength = 2 ** 16

export type Colour = readonly [red: number, green: number, blue: number]

/** Values of an outline on a grid, so that a pixel costs one look-up however complicated the outline is. */
export type Field = Float32Array

/** Samples an outline over [-1.5, 1.5] x [-1.5, 1.5]. */
export function sampleField(outline: Outline): Field {
  const field = new Float32Array(fieldSide * fieldSide)
  const scale = (2 * fieldReach) / (fieldSide - 1)
  for (let row = 0; row < fieldSide; row++) {
    for (let column = 0; column < fieldSide; column++) {
      field[row * fieldSide + column] = outline(column * scale - fieldReach, row * scale - fieldReach)
    }
  }
  return field
}

/** The value of an outline at a point, nearest on the grid; undefined where the grid does not reach. */
export function fieldAt(field: Field, x: number, y: number): number | undefined {
  const scale = (fieldSide - 1) / (2 * fieldReach)
  const [column, row] = [Math.round((x + fieldReach) * scale), Math.round((y + fieldReach) * scale)]
  return column < 0 || row < 0 || column >= fieldSide || row >= fieldSide ? undefined : field[row * fieldSide + column]
}

/** Normally distributed numbers that all images take their noise from, each from another start and with another stride. */
export function drawNoise(rng: Rng): Float32Array {
  return Float32Array.from({ length: noiseLength }, () => rng.normal())
}

/** Paints one image: a waved and noisy background, some strokes across it, and the shape, lighter, somewhere and a little turned. */
export function paintShape(field: Field, noise: Float32Array, rng: Rng): Uint8Array {
  const canvas = new Float32Array(3 * pixels)
  const ground = drawColour(10, 160, rng)
  paintWaves(canvas, ground, rng)
  for (let strokes = rng.integer(3); strokes > 0; strokes--) paintStroke(canvas, rng)
  paintField(canvas, field, drawLighter(ground, rng), rng)
  return addNoise(canvas, noise, rng)
}

/** Fills the canvas with a background colour and adds two plane waves of random direction and colour. */
function paintWaves(canvas: Float32Array, ground: Colour, rng: Rng): void {
  for (const [channel, value] of ground.entries()) canvas.fill(value, channel * pixels, (channel + 1) * pixels)
  const sines = new Float64Array(imageSide)
  const cosines = new Float64Array(imageSide)
  for (let wave = 0; wave < 2; wave++) {
    const angle = 2 * Math.PI * rng.float()
    const frequency = 0.15 + 0.9 * rng.float()
    const [stepX, stepY, phase] = [frequency * Math.cos(angle), frequency * Math.sin(angle), 2 * Math.PI * rng.float()]
    const [red, green, blue] = [30 * rng.float() - 15, 30 * rng.float() - 15, 30 * rng.float() - 15]
    // sin(a + b) from the sines and cosines of rows and columns: 64 instead of 1,024 of them.
    for (let column = 0; column < imageSide; column++) {
      sines[column] = Math.sin(stepX * column)
      cosines[column] = Math.cos(stepX * column)
    }
    for (let row = 0, pixel = 0; row < imageSide; row++) {
      const sine = Math.sin(stepY * row + phase)
      const cosine = Math.cos(stepY * row + phase)
      for (let column = 0; column < imageSide; column++, pixel++) {
        const height = sine * (cosines[column] as number) + cosine * (sines[column] as number)
        add(canvas, pixel, height * red)
        add(canvas, pixel + pixels, height * green)
        add(canvas, pixel + 2 * pixels, height * blue)
      }
    }
  }
}

/** Draws a straight stroke of random place, length, width and colour. */
function paintStroke(canvas: Float32Array, rng: Rng): void {
  const colour = drawColour(20, 235, rng)
  const angle = 2 * Math.PI * rng.float()
  const [stepX, stepY] = [Math.cos(angle), Math.sin(angle)]
  const [x, y] = [imageSide * rng.float(), imageSide * rng.float()]
  const [length, width] = [4 + rng.integer(10), 1 + rng.integer(2)]
  for (let along = 0; along < length; along++) {
    for (let across = 0; across < width; across++) {
      const column = Math.floor(x + along * stepX - across * stepY)
      const row = Math.floor(y + along * stepY + across * stepX)
      if (column < 0 || row < 0 || column >= imageSide || row >= imageSide) continue
      for (let channel = 0; channel < 3; channel++) {
        canvas[channel * pixels + row * imageSide + column] = at(colour, channel)
      }
    }
  }
}

/** Lays the shape over the canvas, turned by up to 34 degrees either way and with an edge one pixel soft. */
function paintField(canvas: Float32Array, field: Field, [red, green, blue]: Colour, rng: Rng): void {
  const radius = 7 + 6 * rng.float()
  const squeeze = 0.8 + 0.4 * rng.float()
  const angle = 1.2 * (rng.float() - 0.5)
  const margin = 0.75 * radius
  const centreX = margin + (imageSide - 1 - 2 * margin) * rng.float()
  const centreY = margin + (imageSide - 1 - 2 * margin) * rng.float()
  const opacity = 0.7 + 0.3 * rng.float()
  const [cosine, sine] = [Math.cos(angle) / radius, Math.sin(angle) / radius]
  const scale = (fieldSide - 1) / (2 * fieldReach)
  for (let row = 0, pixel = 0; row < imageSide; row++) {
    for (let column = 0; column < imageSide; column++, pixel++) {
      const awayX = column - centreX
      const awayY = row - centreY
      const fieldX = Math.round(((cosine * awayX + sine * awayY) * squeeze + fieldReach) * scale)
      const fieldY = Math.round(((cosine * awayY - sine * awayX) / squeeze + fieldReach) * scale)
      if (fieldX < 0 || fieldY < 0 || fieldX >= fieldSide || fieldY >= fieldSide) continue
      const cover = 0.5 - (field[fieldY * fieldSide + fieldX] as number) * radius
      if (cover <= 0) continue
      const weight = opacity * Math.min(1, cover)
      blend(canvas, pixel, weight, red)
      blend(canvas, pixel + pixels, weight, green)
      blend(canvas, pixel + 2 * pixels, weight, blue)
    }
  }
}

/** The canvas with noise of random strength, as whole numbers 0..255. */
export function addNoise(canvas: Float32Array, noise: Float32Array, rng: Rng): Uint8Array {
  const deviation = 3 + 12 * rng.float()
  const stride = 2 * rng.integer(noiseLength / 2) + 1
  let place = rng.integer(noiseLength)
  const image = new Uint8Array(canvas.length)
  for (let index = 0; index < canvas.length; index++) {
    const value = (canvas[index] as number) + deviation * (noise[place] as number)
    image[index] = value < 0 ? 0 : value > 255 ? 255 : value
    place = (place + stride) & (noiseLength - 1)
  }
  return image
}

/** A colour of three channels drawn from the given range. */
export function drawColour(from: number, to: number, rng: Rng): Colour {
  const channel = (): number => from + (to - from) * rng.float()
  return [channel(), channel(), channel()]
}

/** A colour lighter than another one, sometimes only just. */
function drawLighter(ground: Colour, rng: Rng): Colour {
  for (;;) {
    const colour = drawColour(60, 250, rng)
    if (lightness(colour) - lightness(ground) > 45) return colour
  }
}

function lightness([red, green, blue]: Colour): number {
  return (red + green + blue) / 3
}

function add(canvas: Float32Array, index: number, value: number): void {
  canvas[index] = (canvas[index] as number) + value
}

function blend(canvas: Float32Array, index: number, weight: number, value: number): void {
  const below = canvas[index] as number
  canvas[index] = below + weight * (value - below)
}

function at(colour: Colour, channel: number): number {
  return colour[channel] as number
}
