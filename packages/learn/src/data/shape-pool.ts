import { LearnlossError, type Rng } from "@learnloss/engine"
import { type AnyDataset, type ClassificationDataset, requireClassification, type Samples } from "./dataset.ts"
import { subset } from "./sample-set.ts"

export interface PoolShape {
  /** Largest class over smallest; 1 keeps the classes as they are. */
  readonly imbalance: number
  /** Training images kept, drawn at random; null keeps all. */
  readonly size: number | null
  /** Test images kept, drawn at random; null keeps all. */
  readonly testSize: number | null
}

/**
 * Thins a data set out to a pool as it is found in the wild: of the class at rank r (0-based, order permuted by `rng`)
 * floor(n * imbalance^(-r/(classes-1))) images are kept, where n is the size of the largest class; a class that has
 * fewer keeps all, and none loses its last. Then `size` images are drawn from what is left. The test images are thinned
 * out at random and keep their balance. Order and pixels stay as they are, nothing is copied.
 *
 * @throws LearnlossError `POOL_TOO_SMALL` when `size` or `testSize` exceeds what there is, `DATA_OF_ANOTHER_TASK` for an
 * imbalance of images that are not of one class
 */
export function shapePool<D extends AnyDataset>(dataset: D, shape: PoolShape, rng: Rng): D {
  const kept =
    shape.imbalance > 1
      ? keepProfile(requireClassification(dataset, "pool.imbalance", "Set pool.imbalance to 1."), shape.imbalance, rng)
      : dataset.train.ids.map((_, position) => position)
  const train = drawAtMost(`pool.size of ${dataset.name}`, kept, shape.size, rng.child("size"))
  const everyTest = dataset.test.ids.map((_, position) => position)
  const test = drawAtMost(`pool.testSize of ${dataset.name}`, everyTest, shape.testSize, rng.child("test-size"))
  return {
    ...dataset,
    train: shrink(dataset.train, train),
    test: shrink(dataset.test, test),
  }
}

function keepProfile(dataset: ClassificationDataset, imbalance: number, rng: Rng): number[] {
  const classCount = dataset.classNames.length
  const byClass: number[][] = dataset.classNames.map(() => [])
  for (const [position, target] of dataset.train.targets.entries()) byClass[target]?.push(position)
  const largest = Math.max(...byClass.map((positions) => positions.length))
  const order = rng.child("class-order").permutation(classCount)
  const kept = order.flatMap((target, rank) => {
    const wanted = Math.max(1, Math.floor(largest * imbalance ** (-rank / Math.max(1, classCount - 1))))
    return rng
      .child(`class/${target}`)
      .shuffle(byClass[target] as number[])
      .slice(0, wanted)
  })
  return kept.sort((a, b) => a - b)
}

function drawAtMost(where: string, positions: readonly number[], size: number | null, rng: Rng): readonly number[] {
  if (size === null || size === positions.length) return positions
  if (size > positions.length) {
    throw new LearnlossError("POOL_TOO_SMALL", {
      where,
      expected: `at most the ${positions.length} images that there are`,
      got: String(size),
      fix: "Lower it, or set it to null to use all.",
    })
  }
  return rng
    .shuffle(positions)
    .slice(0, size)
    .sort((a, b) => a - b)
}

function shrink<Set extends Samples<unknown>>(set: Set, positions: readonly number[]): Set {
  return positions.length === set.ids.length ? set : subset(set, positions)
}
