/** The boxes that a detector predicts offsets from, in the order of its output. */
export interface DefaultBoxes {
  /** [P, 4] centre x, centre y, width and height, as shares of the image's width and height. */
  readonly boxes: Float32Array
  /** How many of the P boxes each source has, in the order of the sources. */
  readonly perSource: readonly number[]
}

/** The boxes of one source at each of its places; lengths are shares of the image's side. */
export interface SourceBoxes {
  /** Places along a side of the source's square map. */
  readonly places: number
  /** From one place to the next; the first place is half a step inside. */
  readonly step: number
  /** Side of the small square. */
  readonly minSize: number
  /** The larger square's side is the geometric mean of both sizes. */
  readonly maxSize: number
  /** Each gives a wide and a tall box of the small square's area: width over height is the ratio, then one over it. */
  readonly aspectRatios: readonly number[]
}

/** Boxes at each place: two squares, and two for each aspect ratio. */
export function boxesPerPlace({ aspectRatios }: Pick<SourceBoxes, "aspectRatios">): number {
  return 2 + 2 * aspectRatios.length
}

/**
 * The default boxes of SSD (Liu et al. 2016, section 2.2): source after source, its places row by row, at each place the
 * small square, the large one, then a wide and a tall box for each aspect ratio. All four numbers are clipped to 0..1, as
 * the reference does.
 */
export function makeDefaultBoxes(sources: readonly SourceBoxes[]): DefaultBoxes {
  const numbers = sources.flatMap((source) => {
    const { places, step } = source
    const sides = sidesOf(source)
    return Array.from({ length: places * places }, (_, place) => {
      const [x, y] = [((place % places) + 0.5) * step, (Math.floor(place / places) + 0.5) * step]
      return sides.flatMap(([width, height]) => [x, y, width, height])
    }).flat()
  })
  return {
    boxes: Float32Array.from(numbers, (number) => Math.min(1, Math.max(0, number))),
    perSource: sources.map((source) => source.places ** 2 * boxesPerPlace(source)),
  }
}

function sidesOf({ minSize, maxSize, aspectRatios }: SourceBoxes): [width: number, height: number][] {
  const between = Math.sqrt(minSize * maxSize)
  return [
    [minSize, minSize],
    [between, between],
    ...aspectRatios.flatMap((ratio): [number, number][] => {
      const [long, short] = [minSize * Math.sqrt(ratio), minSize / Math.sqrt(ratio)]
      return [
        [long, short],
        [short, long],
      ]
    }),
  ]
}
