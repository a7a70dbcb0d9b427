import { nearest } from "@learnloss/contract"
import { LearnlossError, type Rng } from "@learnloss/engine"
import type { AnnotatedSet } from "./annotated-set.ts"
import type { SetSpec } from "./set-spec.ts"

/** Share of the images that become test images when there is no split for testing. */
const testShare = 0.2

/** Names of splits to train on, the first that there is is taken; of those only alike the first in name order. */
const trainNames = [/^trainval$/i, /^train$/i, /^train(ing)?[-_ ]?\d*$/i, /^trainval/i, /^train/i]
const testNames = [/^test$/i, /^test(ing)?[-_ ]?\d*$/i, /^val$/i, /^valid(ation)?$/i, /^val(id)?[-_ ]?\d*$/i]

/** Ids to train and test on. */
export interface ChosenSplits {
  readonly train: readonly string[]
  readonly test: readonly string[]
  /** What they were taken from, for people, e.g. `trainval`, or `a fifth of train, drawn`. */
  readonly from: { readonly train: string; readonly test: string }
}

/**
 * The splits that the spec names, else those whose names say what they are for: `trainval` or `train` and `test` or
 * `val`. Where none is for testing, a fifth of the images is drawn.
 *
 * @param usable says whether an image can be used; only such are drawn from
 * @throws LearnlossError `UNKNOWN_SPLIT`, or `OVERLAPPING_SPLITS` when images are in both
 */
export function chooseSplits(
  where: string,
  set: AnnotatedSet,
  spec: SetSpec,
  usable: (id: string) => boolean,
  rng: Rng,
): ChosenSplits {
  const names = [...set.splits.keys()].filter((name) => set.splits.get(name)?.some(usable))
  const trainFrom = spec.train ?? pick(names, trainNames)
  const inTrain = new Set(trainFrom === undefined ? [] : idsOf(where, set, trainFrom))
  const testFrom =
    spec.test ??
    pick(
      names.filter((name) => isApart(set, name, inTrain)),
      testNames,
    )
  const inTest = new Set(testFrom === undefined ? [] : idsOf(where, set, testFrom))
  const rest = set.images.map(({ id }) => id).filter((id) => !inTest.has(id))
  const train = trainFrom === undefined ? rest : [...inTrain]
  const source = trainFrom?.join("+") ?? (testFrom === undefined ? "all images" : `all but ${testFrom.join("+")}`)
  if (testFrom !== undefined) {
    requireApart(where, train, inTest, source, testFrom.join("+"))
    return {
      train: train.filter(usable),
      test: [...inTest].filter(usable),
      from: { train: source, test: testFrom.join("+") },
    }
  }
  const all = train.filter(usable)
  const drawn = new Set(
    rng
      .child("split")
      .shuffle(all)
      .slice(0, Math.max(1, Math.round(all.length * testShare))),
  )
  return {
    train: all.filter((id) => !drawn.has(id)),
    test: all.filter((id) => drawn.has(id)),
    from: { train: `four fifths of ${source}, drawn`, test: `a fifth of ${source}, drawn` },
  }
}

function pick(names: readonly string[], patterns: readonly RegExp[]): readonly string[] | undefined {
  for (const pattern of patterns) {
    const name = names.find((candidate) => pattern.test(candidate))
    if (name !== undefined) return [name]
  }
  return undefined
}

function idsOf(where: string, set: AnnotatedSet, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const ids = set.splits.get(name)
    if (ids !== undefined) return ids
    const known = [...set.splits.keys()]
    const meant = nearest(name, known)
    throw new LearnlossError("UNKNOWN_SPLIT", {
      where,
      expected:
        known.length === 0 ? "no split to be named, for there are none" : `one of the splits ${known.join(", ")}`,
      got: `"${name}"`,
      fix: meant === undefined ? "Name one of them, or leave it out." : `Did you mean ${meant}?`,
    })
  })
}

function isApart(set: AnnotatedSet, name: string, inTrain: ReadonlySet<string>): boolean {
  return set.splits.get(name)?.every((id) => !inTrain.has(id)) ?? false
}

function requireApart(
  where: string,
  train: readonly string[],
  test: ReadonlySet<string>,
  from: string,
  to: string,
): void {
  const shared = train.filter((id) => test.has(id))
  if (shared.length === 0) return
  throw new LearnlossError("OVERLAPPING_SPLITS", {
    where,
    expected: `no image in both ${from} and ${to}`,
    got: `${shared.length}, the first ${shared[0]}`,
    fix: "Name other splits with ?train=NAME&test=NAME.",
  })
}
