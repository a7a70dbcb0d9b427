import type { Box } from "../boxes.ts"
import { blend, type Canvas } from "../shapes/canvas.ts"
import { polygon } from "../shapes/outlines.ts"
import type { Colour } from "../shapes/paint.ts"
import { combine, dot, unit, type Vector } from "./vectors.ts"

/** Something round that is painted: how far a point is from its edge (negative inside) and which colour it has there. */
export interface Surface {
  /** Holds all of it, in pixels. */
  readonly bounds: Box
  distance(x: number, y: number): number
  colour(x: number, y: number): Colour
}

/** Where the light comes from, and how bright it is in the shade, 0..1. */
export interface Light {
  readonly direction: Vector
  readonly ambient: number
}

type Place = readonly [x: number, y: number]

/** Paints a surface with an edge one pixel soft, and writes down which pixels it covers by more than half. */
export function paintSurface(canvas: Canvas, owners: Int16Array, surface: Surface, owner: number): void {
  const [x1, y1, x2, y2] = surface.bounds
  const [left, right] = [Math.max(0, Math.floor(x1 - 1)), Math.min(canvas.width, Math.ceil(x2 + 1))]
  const [top, bottom] = [Math.max(0, Math.floor(y1 - 1)), Math.min(canvas.height, Math.ceil(y2 + 1))]
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const cover = 0.5 - surface.distance(column + 0.5, row + 0.5)
      if (cover <= 0) continue
      blend(canvas, column, row, Math.min(1, cover), surface.colour(column + 0.5, row + 0.5))
      if (cover > 0.5) owners[row * canvas.width + column] = owner
    }
  }
}

/** A limb: a line with round ends that may grow thinner, round in space. */
export function capsule(
  from: readonly number[],
  to: readonly number[],
  radii: readonly [from: number, to: number],
  colour: Colour,
  light: Light,
): Surface {
  const [fromX = 0, fromY = 0] = from
  const [toX = 0, toY = 0] = to
  const [edgeX, edgeY] = [toX - fromX, toY - fromY]
  const squared = edgeX * edgeX + edgeY * edgeY
  /** Away from the middle line, in radii. */
  const away = (x: number, y: number) => {
    const along = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - fromX) * edgeX + (y - fromY) * edgeY) / squared))
    const radius = radii[0] + along * (radii[1] - radii[0])
    return { x: (x - fromX - along * edgeX) / radius, y: (y - fromY - along * edgeY) / radius, radius }
  }
  const widest = Math.max(...radii)
  return {
    bounds: [
      Math.min(fromX, toX) - widest,
      Math.min(fromY, toY) - widest,
      Math.max(fromX, toX) + widest,
      Math.max(fromY, toY) + widest,
    ],
    distance(x, y) {
      const at = away(x, y)
      return (Math.hypot(at.x, at.y) - 1) * at.radius
    },
    colour(x, y) {
      const at = away(x, y)
      return lit(colour, [at.x, at.y, depthAt(at.x, at.y)], light)
    },
  }
}

/** A trunk: a polygon with round corners, bent across. */
export function roundedPolygon(corners: readonly Place[], radius: number, colour: Colour, light: Light): Surface {
  const outline = polygon(corners)
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  const bounds: Box = [
    Math.min(...xs) - radius,
    Math.min(...ys) - radius,
    Math.max(...xs) + radius,
    Math.max(...ys) + radius,
  ]
  const [middle, half] = [(bounds[0] + bounds[2]) / 2, (bounds[2] - bounds[0]) / 2]
  return {
    bounds,
    distance: (x, y) => outline(x, y) - radius,
    colour(x) {
      const across = Math.max(-1, Math.min((0.9 * (x - middle)) / half, 1))
      return lit(colour, [across, 0, depthAt(across, 0)], light)
    },
  }
}

/** What a head looks like. */
export interface HeadLook {
  readonly skin: Colour
  readonly hair: Colour
  readonly eyes: Colour
  readonly mouth: Colour
  /** How far the hair reaches down: the cosine of its edge from the back of the crown. */
  readonly hairline: number
}

/** Features of a face: where they are in the directions of the head, and the cosine of how wide they reach. */
const features = [
  { look: "eyes", forward: 0.88, left: 0.42, up: 0.1, reach: 0.972 },
  { look: "eyes", forward: 0.88, left: -0.42, up: 0.1, reach: 0.972 },
  { look: "mouth", forward: 0.84, left: 0, up: -0.52, reach: 0.95 },
] as const

/**
 * A head: an ellipsoid with hair on crown and back and a face in front, by which is seen where it looks.
 *
 * @param size half its height and half its breadth in pixels
 */
export function headSurface(
  center: Place,
  frame: { readonly up: Vector; readonly forward: Vector; readonly left: Vector },
  size: { readonly height: number; readonly breadth: number },
  look: HeadLook,
  light: Light,
): Surface {
  const { up, forward, left } = frame
  const flat = Math.hypot(up[0], up[1])
  const axis: Place = flat < 1e-6 ? [0, -1] : [up[0] / flat, up[1] / flat]
  const length = Math.hypot(size.height * flat, size.breadth * up[2])
  const crown = unit(combine([0.8, up], [-0.6, forward]))
  const marks = features.map((feature) => ({
    direction: unit(combine([feature.forward, forward], [feature.left, left], [feature.up, up])),
    reach: feature.reach,
    colour: look[feature.look],
  }))
  const normalAt = (x: number, y: number): Vector => {
    const [awayX, awayY] = [x - center[0], y - center[1]]
    const along = (awayX * axis[0] + awayY * axis[1]) / length
    const across = (awayY * axis[0] - awayX * axis[1]) / size.breadth
    return [along * axis[0] - across * axis[1], along * axis[1] + across * axis[0], depthAt(along, across)]
  }
  const reach = Math.max(length, size.breadth)
  return {
    bounds: [center[0] - reach, center[1] - reach, center[0] + reach, center[1] + reach],
    distance(x, y) {
      const [awayX, awayY] = normalAt(x, y)
      return (Math.hypot(awayX, awayY) - 1) * Math.min(length, size.breadth)
    },
    colour(x, y) {
      const normal = normalAt(x, y)
      const mark = marks.find(({ direction, reach: cosine }) => dot(direction, normal) > cosine)
      const base = dot(crown, normal) > look.hairline ? look.hair : (mark?.colour ?? look.skin)
      return lit(base, normal, light)
    },
  }
}

/** How far a point of a round thing of radius 1 lies in front of its edge. */
function depthAt(x: number, y: number): number {
  return Math.sqrt(Math.max(0, 1 - x * x - y * y))
}

/** A colour as a surface shows it that looks in the direction `normal`: dark where it turns away from the light. */
function lit([red, green, blue]: Colour, normal: Vector, { direction, ambient }: Light): Colour {
  const brightness = ambient + (1 - ambient) * Math.max(0, dot(normal, direction))
  return [red * brightness, green * brightness, blue * brightness]
}
