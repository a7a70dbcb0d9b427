/** A place or direction: x to the right, y down, z towards the viewer. */
export type Vector = readonly [x: number, y: number, z: number]

/** The sum of vectors, each times its factor. */
export function combine(...terms: readonly (readonly [factor: number, vector: Vector])[]): Vector {
  let [x, y, z] = [0, 0, 0]
  for (const [factor, vector] of terms) {
    x += factor * vector[0]
    y += factor * vector[1]
    z += factor * vector[2]
  }
  return [x, y, z]
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/** A vector of the same direction and length 1. */
export function unit(vector: Vector): Vector {
  return combine([1 / Math.sqrt(dot(vector, vector)), vector])
}

/** `from` turned by an angle in degrees towards `to`, which is made perpendicular to it first; both come to length 1. */
export function turn(from: Vector, to: Vector, degrees: number): Vector {
  const start = unit(from)
  const side = unit(combine([1, to], [-dot(start, to), start]))
  return combine([cos(degrees), start], [sin(degrees), side])
}

export function cos(degrees: number): number {
  return Math.cos((degrees * Math.PI) / 180)
}

export function sin(degrees: number): number {
  return Math.sin((degrees * Math.PI) / 180)
}
