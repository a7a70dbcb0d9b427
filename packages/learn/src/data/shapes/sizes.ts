import { LearnlossError } from "@learnloss/engine"

/** How many images of each split are drawn. */
export interface SplitSizes {
  readonly train: number
  readonly test: number
}

/**
 * Takes `TRAIN,TEST` apart, e.g. `2000,500`.
 *
 * @throws LearnlossError `BAD_SIZE`
 */
export function parseSizes(
  name: string,
  path: string,
  { least, most, usual }: { readonly least: number; readonly most: number; readonly usual: SplitSizes },
): SplitSizes {
  const match = /^(\d+),(\d+)$/.exec(path)
  const [train, test] = [Number(match?.[1]), Number(match?.[2])]
  if (match !== null && Math.min(train, test) >= least && Math.max(train, test) <= most) return { train, test }
  throw new LearnlossError("BAD_SIZE", {
    where: `data "${name}:${path}"`,
    expected: `${name}:TRAIN,TEST with two counts in ${least}..${most}`,
    got: `"${path}"`,
    fix: `Write for example ${name}:${usual.train},${usual.test}, or just ${name}.`,
  })
}
