import type { Rng } from "@learnloss/engine"
import { areaOf, sharedAreaOf } from "../box-overlap.ts"
import type { Box, LabeledBox } from "../boxes.ts"
import type { Picture } from "../dataset.ts"
import { blend, type Canvas, createCanvas, paintStroke, paintWaves } from "./canvas.ts"
import { addNoise, type Colour, drawColour, type Field, fieldAt } from "./paint.ts"

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
  const canvas = createCanvas(sceneSide, sceneSide)
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
  return { picture: { width: sceneSide, height: sceneSide, pixels: addNoise(canvas.values, noise, rng) }, boxes }
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

function paintField(canvas: Canvas, field: Field, place: Place, colour: Colour, opacity: number): void {
  eachCovered(field, place, (column, row, cover) => blend(canvas, column, row, opacity * cover, colour))
}

/** A colour that stands out from another one, sometimes only just. */
function drawApart(ground: Colour, rng: Rng): Colour {
  for (;;) {
    const colour = drawColour(0, 255, rng)
    if (Math.hypot(...colour.map((value, channel) => value - (ground[channel] as number))) > 80) return colour
  }
}
