import type { Rng } from "@learnloss/engine"
import { areaOf, sharedAreaOf } from "../box-overlap.ts"
import type { Box, LabeledBox } from "../boxes.ts"
import type { Picture } from "../dataset.ts"
import { addNoise, drawColour, type Field, fieldAt } from "./paint.ts"

/** Side of the pictures of `shapes-detection` in pixels. */
export const sceneSide = 128
const mostShapes = 6
/** Share of pictures that show no shape at all. */
const emptyShare = 0.08
/** Radii in pixels; drawn so that small ones are as frequent as large ones in each octave. */
const [leastRadius, mostRadius] = [8, 34]
/** A place is refused where more than this of one of two boxes would lie in the other. */
const mostCovered = 0.25
const triesPerShape = 12

type Colour = readonly [red: number, green: number, blue: number]

/** A picture and what it shows. */
export interface Scene {
  readonly picture: Picture
  readonly boxes: readonly LabeledBox[]
}

/**
 * Paints one picture: a waved and noisy background with strokes, and on it none to six shapes of random class, size,
 * place, angle and colour that cover each other a little at most. A box is what holds all pixels that the shape covers
 * by more than half, also those that a later shape hides.
 *
 * @param fields outlines of the classes, in the order of their indices
 */
export function paintScene(fields: readonly Field[], noise: Float32Array, rng: Rng): Scene {
  const canvas = new Float32Array(3 * sceneSide * sceneSide) // [H, W, 3]
  const ground = drawColour(40, 190, rng)
  paintWaves(canvas, ground, rng)
  for (let strokes = rng.integer(7); strokes > 0; strokes--) paintStroke(canvas, rng)
  const boxes: LabeledBox[] = []
  const count = rng.float() < emptyShare ? 0 : 1 + rng.integer(mostShapes)
  for (let shape = 0; shape < count; shape++) {
    const classIndex = rng.integer(fields.length)
    const field = fields[classIndex] as Field
    for (let attempt = 0; attempt < triesPerShape; attempt++) {
      const place = drawPlace(rng)
      const box = boxOf(field, place)
      if (box === undefined || boxes.some((other) => covers(box, other.box))) continue
      paintField(canvas, field, place, drawApart(ground, rng), 0.75 + 0.25 * rng.float())
      boxes.push({ classIndex, box, isDifficult: false })
      break
    }
  }
  return { picture: { width: sceneSide, height: sceneSide, pixels: addNoise(canvas, noise, rng) }, boxes }
}

/** Where and how a shape lies. */
interface Place {
  readonly centreX: number
  readonly centreY: number
  readonly radius: number
  readonly squeeze: number
  readonly angle: number
}

function drawPlace(rng: Rng): Place {
  const radius = leastRadius * (mostRadius / leastRadius) ** rng.float()
  const free = sceneSide - 2 * radius
  const [centreX, centreY] = [radius + free * rng.float(), radius + free * rng.float()]
  return { centreX, centreY, radius, squeeze: 0.8 + 0.4 * rng.float(), angle: 1.2 * (rng.float() - 0.5) }
}

/** Calls back for every pixel that the shape covers, with how much of it, 0..1. */
function eachCovered(field: Field, place: Place, visit: (column: number, row: number, cover: number) => void): void {
  const { centreX, centreY, radius, squeeze, angle } = place
  const [cosine, sine] = [Math.cos(angle) / radius, Math.sin(angle) / radius]
  const reach = 1.3 * radius
  const first = (centre: number): number => Math.max(0, Math.floor(centre - reach))
  const last = (centre: number): number => Math.min(sceneSide - 1, Math.ceil(centre + reach))
  for (let row = first(centreY); row <= last(centreY); row++) {
    for (let column = first(centreX); column <= last(centreX); column++) {
      const [awayX, awayY] = [column + 0.5 - centreX, row + 0.5 - centreY]
      const distance = fieldAt(
        field,
        (cosine * awayX + sine * awayY) * squeeze,
        (cosine * awayY - sine * awayX) / squeeze,
      )
      if (distance === undefined) continue
      const cover = 0.5 - distance * radius
      if (cover > 0) visit(column, row, Math.min(1, cover))
    }
  }
}

function boxOf(field: Field, place: Place): Box | undefined {
  let [x1, y1, x2, y2] = [sceneSide, sceneSide, 0, 0]
  eachCovered(field, place, (column, row, cover) => {
    if (cover <= 0.5) return
    x1 = Math.min(x1, column)
    y1 = Math.min(y1, row)
    x2 = Math.max(x2, column + 1)
    y2 = Math.max(y2, row + 1)
  })
  return x2 > x1 && y2 > y1 ? [x1, y1, x2, y2] : undefined
}

function covers(a: Box, b: Box): boolean {
  const shared = sharedAreaOf(a, b)
  return shared > 0 && shared > mostCovered * Math.min(areaOf(a), areaOf(b))
}

function paintField(canvas: Float32Array, field: Field, place: Place, colour: Colour, opacity: number): void {
  eachCovered(field, place, (column, row, cover) => blend(canvas, column, row, opacity * cover, colour))
}

/** Fills the canvas with a colour and adds three plane waves of random direction and colour. */
function paintWaves(canvas: Float32Array, ground: Colour, rng: Rng): void {
  for (let index = 0; index < canvas.length; index++) canvas[index] = ground[index % 3] as number
  for (let wave = 0; wave < 3; wave++) {
    const [angle, frequency] = [2 * Math.PI * rng.float(), 0.04 + 0.4 * rng.float()]
    const [red, green, blue] = [20 * rng.float() - 10, 20 * rng.float() - 10, 20 * rng.float() - 10]
    const phase = 2 * Math.PI * rng.float()
    const [stepX, stepY] = [frequency * Math.cos(angle), frequency * Math.sin(angle)]
    // sin(a + b) from the sines and cosines of rows and columns, which are few.
    const sines = Float64Array.from({ length: sceneSide }, (_, column) => Math.sin(stepX * column))
    const cosines = Float64Array.from({ length: sceneSide }, (_, column) => Math.cos(stepX * column))
    for (let row = 0, index = 0; row < sceneSide; row++) {
      const [sine, cosine] = [Math.sin(stepY * row + phase), Math.cos(stepY * row + phase)]
      for (let column = 0; column < sceneSide; column++, index += 3) {
        const height = sine * at(cosines, column) + cosine * at(sines, column)
        canvas[index] = at(canvas, index) + height * red
        canvas[index + 1] = at(canvas, index + 1) + height * green
        canvas[index + 2] = at(canvas, index + 2) + height * blue
      }
    }
  }
}

/** Draws a straight stroke of random place, length, width and colour. */
function paintStroke(canvas: Float32Array, rng: Rng): void {
  const colour = drawColour(20, 235, rng)
  const angle = 2 * Math.PI * rng.float()
  const [stepX, stepY] = [Math.cos(angle), Math.sin(angle)]
  const [x, y] = [sceneSide * rng.float(), sceneSide * rng.float()]
  const [length, width] = [10 + rng.integer(50), 1 + rng.integer(3)]
  for (let along = 0; along < length; along++) {
    for (let across = 0; across < width; across++) {
      const column = Math.floor(x + along * stepX - across * stepY)
      const row = Math.floor(y + along * stepY + across * stepX)
      if (column >= 0 && row >= 0 && column < sceneSide && row < sceneSide) blend(canvas, column, row, 0.8, colour)
    }
  }
}

/** A colour that stands out from another one, sometimes only just. */
function drawApart(ground: Colour, rng: Rng): Colour {
  for (;;) {
    const colour = drawColour(0, 255, rng)
    if (Math.hypot(...colour.map((value, channel) => value - at(ground, channel))) > 80) return colour
  }
}

function blend(canvas: Float32Array, column: number, row: number, weight: number, colour: Colour): void {
  const index = 3 * (row * sceneSide + column)
  for (let channel = 0; channel < 3; channel++) {
    const below = at(canvas, index + channel)
    canvas[index + channel] = below + weight * (at(colour, channel) - below)
  }
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number
}
