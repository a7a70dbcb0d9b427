import type { Rng } from "@learnloss/engine"
import type { Box } from "../boxes.ts"
import type { Picture } from "../dataset.ts"
import { cropAround, type PersonTarget, type Visibility } from "../people.ts"
import { type Canvas, createCanvas, paintStroke, paintWaves } from "../shapes/canvas.ts"
import { addNoise, drawColour } from "../shapes/paint.ts"
import { drawPosture } from "./draw-posture.ts"
import { type DressedBody, drawLook, dressBody } from "./dress-body.ts"
import { poseBody } from "./pose-body.ts"
import { capsule, type Light, paintSurface, type Surface } from "./surfaces.ts"
import { unit } from "./vectors.ts"

/** Sizes of the pictures of `figures` in pixels. */
export const figureSizes = { height: 128, widthOfOne: 128, widthOfTwo: 184 } as const
/** Share of pictures that show two people. */
const twoShare = 0.2
/** Height of a standing figure in pixels; drawn so that small ones are as frequent as large ones in each octave. */
const [leastSize, mostSize] = [56, 106]
/** Share of people who stand out over an edge of the picture. */
const cutShare = 0.08
const margin = 2

/** A picture and the people in it, the farthest first. */
export interface FigureScene {
  readonly picture: Picture
  readonly people: readonly Omit<PersonTarget, "imageId">[]
}

/**
 * Paints one picture: a waved and noisy background with strokes and shapes, one or two people, and at times something in
 * front of them. A joint is hidden where something that is painted later covers it, and not labelled outside the picture.
 */
export function paintFigures(noise: Float32Array, rng: Rng): FigureScene {
  const count = rng.float() < twoShare ? 2 : 1
  const { height, widthOfOne, widthOfTwo } = figureSizes
  const canvas = createCanvas(count === 1 ? widthOfOne : widthOfTwo, height)
  const owners = new Int16Array(canvas.width * height).fill(-1)
  const light = drawLight(rng)
  paintBackground(canvas, owners, light, rng)
  let painted = 0
  const people = Array.from({ length: count }, (_, index) => {
    const body = placeBody(canvas, (index + 0.5) / count, count, light, rng.child(index))
    const first = painted
    for (const { surface } of body.parts) paintSurface(canvas, owners, surface, painted++)
    const area = owners.reduce((sum, owner) => sum + (owner >= first ? 1 : 0), 0)
    return { body, first, area }
  })
  const dice = rng.float()
  for (let things = dice < 0.1 ? 2 : dice < 0.4 ? 1 : 0; things > 0; things--) {
    const { body } = people[rng.integer(count)] as { body: DressedBody }
    paintSurface(canvas, owners, drawThing(body, light, rng), painted++)
  }
  for (let index = 0; index < canvas.values.length; index++) {
    canvas.values[index] = (canvas.values[index] as number) * light.gain
  }
  return {
    picture: { width: canvas.width, height, pixels: addNoise(canvas.values, noise, rng) },
    people: people.map(({ body, first, area }) => targetOf(canvas, owners, body, first, area)),
  }
}

interface SceneLight extends Light {
  /** How bright the whole picture is. */
  readonly gain: number
}

function drawLight(rng: Rng): SceneLight {
  const direction = unit([2 * rng.float() - 1, -0.2 - rng.float(), 0.8 + 0.8 * rng.float()])
  return { direction, ambient: 0.35 + 0.3 * rng.float(), gain: 1.1 - 0.55 * rng.float() ** 3 }
}

/** Waves and strokes, and limb-like and large shapes that belong to nobody. */
function paintBackground(canvas: Canvas, owners: Int16Array, light: Light, rng: Rng): void {
  paintWaves(canvas, drawColour(40, 200, rng), rng)
  for (let strokes = rng.integer(9); strokes > 0; strokes--) paintStroke(canvas, rng)
  for (let shapes = rng.integer(6); shapes > 0; shapes--) {
    const [x, y] = [canvas.width * rng.float(), canvas.height * rng.float()]
    const angle = 2 * Math.PI * rng.float()
    const [length, radius] = [60 * rng.float(), 2 + 14 * rng.float() ** 2]
    const to = [x + length * Math.cos(angle), y + length * Math.sin(angle)]
    paintSurface(
      canvas,
      owners,
      capsule([x, y], to, [radius, radius * (0.6 + 0.4 * rng.float())], drawColour(20, 230, rng), light),
      -1,
    )
  }
}

/** A pole or something round in front of a joint. */
function drawThing({ joints, head }: DressedBody, light: Light, rng: Rng): Surface {
  const { x, y } = joints[rng.integer(joints.length)] as { x: number; y: number }
  const headHeight = head.bounds[3] - head.bounds[1]
  const colour = drawColour(20, 230, rng)
  const angle = 2 * Math.PI * rng.float()
  const isPole = rng.float() < 0.5
  const [length, radius] = isPole
    ? [8 * headHeight, headHeight * (0.15 + 0.2 * rng.float())]
    : [0.6 * headHeight * rng.float(), headHeight * (0.3 + 0.5 * rng.float())]
  const [stepX, stepY] = [length * Math.cos(angle), length * Math.sin(angle)]
  return capsule([x - stepX, y - stepY], [x + stepX, y + stepY], [radius, radius], colour, light)
}

/**
 * Draws a person and finds a place where they fit into the picture, or stand out over it.
 *
 * @param share of the picture's width at which the person stands
 */
function placeBody(canvas: Canvas, share: number, count: number, light: Light, rng: Rng): DressedBody {
  const body = poseBody(drawPosture(rng.child("posture")), rng.child("body"))
  const look = drawLook(rng.child("look"))
  // At size 1 around 0, to see how much room it takes.
  const model = dressBody(body, look, { size: 1, place: [0, 0], light })
  const [x1, y1, x2, y2] = extentOf(model)
  const [, , headRight, headBottom] = model.head.bounds
  const room = canvas.width * (count === 1 ? 1 : 0.65) - 2 * margin
  const wanted = leastSize * (mostSize / leastSize) ** rng.float()
  const size = Math.min(wanted, room / (x2 - x1), (canvas.height - 2 * margin) / (y2 - y1))
  const [width, height] = [size * (x2 - x1), size * (y2 - y1)]
  const free = canvas.width - 2 * margin - width
  const jitter = (count === 1 ? free : Math.min(free, 30)) * (rng.float() - 0.5)
  const middle = (canvas.width - count * margin) * share + jitter
  const left = Math.max(margin, Math.min(middle - width / 2, canvas.width - margin - width))
  const top = margin + (canvas.height - 2 * margin - height) * rng.float()
  const [x, y] = [left - size * x1, top - size * y1]
  if (rng.float() >= cutShare) return dressBody(body, look, { size, place: [x, y], light })
  // Feet or a side are cut off; heads stay inside.
  const shift = (0.12 + 0.2 * rng.float()) * size
  const down = Math.min(shift, canvas.height - y - size * headBottom)
  const right = rng.float() < 0.4 ? Math.min(shift, canvas.width - x - size * headRight) : 0
  return dressBody(body, look, { size, place: [x + right, y + down], light })
}

/** What holds all parts of a person. */
function extentOf({ parts }: DressedBody): Box {
  const bounds = parts.map(({ surface }) => surface.bounds)
  const each = (corner: 0 | 1 | 2 | 3) => bounds.map((box) => box[corner])
  return [Math.min(...each(0)), Math.min(...each(1)), Math.max(...each(2)), Math.max(...each(3))]
}

/**
 * @param first owner among the person's parts, which were painted one after the other
 * @param area of the person in pixels
 */
function targetOf(
  { width, height }: Canvas,
  owners: Int16Array,
  body: DressedBody,
  first: number,
  area: number,
): Omit<PersonTarget, "imageId"> {
  const [x1, y1, x2, y2] = extentOf(body)
  const box: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)]
  const [left, top, right, bottom] = body.head.bounds
  const joints = body.joints.map(({ x, y }, joint) => {
    const visibility: Visibility = !(x >= 0 && y >= 0 && x < width && y < height) ? 0 : isCovered(x, y, joint) ? 1 : 2
    return visibility === 0 ? { x: 0, y: 0, visibility } : { x, y, visibility }
  })
  return {
    width,
    height,
    joints,
    box,
    crop: cropAround(box),
    area,
    head: { length: 0.6 * Math.hypot(right - left, bottom - top), from: "head box" },
  }

  function isCovered(x: number, y: number, joint: number): boolean {
    const owner = owners[Math.floor(y) * width + Math.floor(x)] as number
    const nearest = first + body.parts.findLastIndex(({ joints: shown }) => shown.includes(joint))
    return owner > nearest
  }
}
