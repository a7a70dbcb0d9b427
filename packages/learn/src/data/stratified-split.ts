import type { Rng } from "@learnloss/engine"

/**
 * Draws about `testShare` of the positions of each class for testing, by a stream of the class's own name. Every class
 * keeps an image to train on, and one to test on where it has two. Both lists are ascending.
 */
export function stratifiedSplit(
  targets: readonly number[],
  classNames: readonly string[],
  testShare: number,
  rng: Rng,
): { readonly train: number[]; readonly test: number[] } {
  const byClass: number[][] = classNames.map(() => [])
  for (const [position, target] of targets.entries()) byClass[target]?.push(position)
  const test = new Set<number>()
  for (const [index, positions] of byClass.entries()) {
    const wanted = Math.max(1, Math.round(positions.length * testShare))
    const count = Math.min(wanted, positions.length - 1)
    const shuffled = rng.child(classNames[index] as string).shuffle(positions)
    for (const position of shuffled.slice(0, Math.max(0, count))) test.add(position)
  }
  const positions = targets.map((_, position) => position)
  return {
    train: positions.filter((position) => !test.has(position)),
    test: positions.filter((position) => test.has(position)),
  }
}
