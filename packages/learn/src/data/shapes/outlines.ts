type Point = readonly [x: number, y: number]

/** Signed distance of a point from an outline that fits the unit circle: negative inside, y pointing down. */
export type Outline = (x: number, y: number) => number

/** The classes of `shapes`, each by its outline. */
export const outlines = {
  circle: (x, y) => Math.sqrt(x * x + y * y) - 0.9,
  ring: (x, y) => Math.abs(Math.sqrt(x * x + y * y) - 0.7) - 0.22,
  square: polygon(regular(4, 1)),
  frame: (x, y) => Math.abs(diamond(x, y)) - 0.16,
  triangle: polygon(regular(3, 1)),
  star: polygon(regular(10, 1, 0.42)),
  cross: polygon(quartered([0.3, 0.95], [0.3, 0.3], [0.95, 0.3])),
  crescent: (x, y) => Math.max(disc(x, y, 0, 0.95), -disc(x, y, 0.5, 0.75)),
  heart: polygon(heartCurve(28)),
  arrow: polygon([
    [0, -1],
    [0.75, -0.1],
    [0.25, -0.1],
    [0.25, 0.95],
    [-0.25, 0.95],
    [-0.25, -0.1],
    [-0.75, -0.1],
  ]),
} as const satisfies Record<string, Outline>

function disc(x: number, y: number, centreX: number, radius: number): number {
  return Math.sqrt((x - centreX) ** 2 + y * y) - radius
}

function diamond(x: number, y: number): number {
  return (Math.abs(x) + Math.abs(y) - 0.75) / Math.SQRT2
}

/** Corners evenly around the circle, radii taken in turn: one radius gives a regular polygon, two a star. */
function regular(corners: number, ...radii: readonly number[]): Point[] {
  return Array.from({ length: corners }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / corners - Math.PI / 2
    const radius = radii[corner % radii.length] as number
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/** Repeats the corners of one quarter after each quarter turn. */
function quartered(...quarter: readonly Point[]): Point[] {
  const clockwise = quarter.toReversed()
  return [0, 1, 2, 3].flatMap((turns) =>
    clockwise.map(([x, y]): Point => {
      let turned: Point = [x, y]
      for (let turn = 0; turn < turns; turn++) turned = [-turned[1], turned[0]]
      return turned
    }),
  )
}

function heartCurve(corners: number): Point[] {
  return Array.from({ length: corners }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / corners
    const x = Math.sin(angle) ** 3
    const y = (13 * Math.cos(angle) - 5 * Math.cos(2 * angle) - 2 * Math.cos(3 * angle) - Math.cos(4 * angle)) / 16
    return [0.95 * x, -0.95 * y]
  })
}

/** Distance from the nearest edge, its sign by how many edges a ray to the right crosses. */
export function polygon(corners: readonly Point[]): Outline {
  return (x, y) => {
    let nearestSquared = Number.POSITIVE_INFINITY
    let isInside = false
    for (let index = 0; index < corners.length; index++) {
      const [fromX, fromY] = corners[index] as Point
      const [toX, toY] = corners[(index + 1) % corners.length] as Point
      const [edgeX, edgeY] = [toX - fromX, toY - fromY]
      const along = ((x - fromX) * edgeX + (y - fromY) * edgeY) / (edgeX * edgeX + edgeY * edgeY)
      const clamped = Math.min(1, Math.max(0, along))
      const [awayX, awayY] = [x - fromX - clamped * edgeX, y - fromY - clamped * edgeY]
      nearestSquared = Math.min(nearestSquared, awayX * awayX + awayY * awayY)
      if (fromY > y !== toY > y && x < fromX + ((y - fromY) / edgeY) * edgeX) isInside = !isInside
    }
    return isInside ? -Math.sqrt(nearestSquared) : Math.sqrt(nearestSquared)
  }
}
