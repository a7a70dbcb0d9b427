import type { CycleRecord, StrategyName } from "@learnloss/contract"
import { describe, expect, test } from "vitest"
import { summarize } from "./summary.ts"
import { cycleRecord } from "./synthetic-run.test-suite.ts"
import { verdict } from "./verdict.ts"

const labels = [100, 200, 400]

function trajectory(strategy: StrategyName, trial: number, accuracies: number[], ranking: number | null = null) {
  return accuracies.map(
    (accuracy, index): CycleRecord =>
      cycleRecord({
        strategy,
        trial,
        cycle: index + 1,
        labels: labels[index] ?? 0,
        accuracy,
        rankingAccuracy: ranking,
        confidenceRankingAccuracy: 0.9,
      }),
  )
}

const random = [...trajectory("random", 1, [0.5, 0.6, 0.7]), ...trajectory("random", 2, [0.5, 0.7, 0.7])]
const better = [
  ...trajectory("learning-loss", 1, [0.5, 0.7, 0.8], 0.8),
  ...trajectory("learning-loss", 2, [0.5, 0.7, 0.9], 0.9),
]

describe("summarize", () => {
  const summary = summarize([...better, ...random])
  const [first, second] = summary.strategies

  test("lists strategies in their fixed order at the largest label count", () => {
    expect(summary.strategies.map((each) => each.strategy)).toEqual(["random", "learning-loss"])
    expect(summary).toMatchObject({ labels, finalLabels: 400 })
  })

  test("takes mean and sample deviation over trials", () => {
    expect(first?.finalValue?.mean).toBeCloseTo(0.7, 12)
    expect(first?.finalValue?.std).toBeCloseTo(0, 12)
    expect(second?.finalValue?.mean).toBeCloseTo(0.85, 12)
    expect(second?.finalValue?.std).toBeCloseTo(Math.sqrt(0.005), 12)
    // Trial 1: (.55 * 100 + .65 * 200) / 300, trial 2: (.6 * 100 + .7 * 200) / 300.
    expect(first?.aubc?.mean).toBeCloseTo((185 / 300 + 200 / 300) / 2, 12)
    expect(second?.aubc?.mean).toBeCloseTo((210 / 300 + 220 / 300) / 2, 12)
    expect(second?.rankingAccuracy?.mean).toBeCloseTo(0.85, 12)
    expect(second?.confidenceRankingAccuracy?.mean).toBeCloseTo(0.9, 12)
    expect(first?.rankingAccuracy).toBeNull()
  })

  test("compares with random trial by trial", () => {
    const against = second?.againstRandom
    expect(against?.finalValue?.mean).toBeCloseTo(0.15, 12)
    expect(against?.finalValue?.standardError).toBeCloseTo(0.05, 12)
    expect(against?.finalValue).toMatchObject({ pairs: 2, p: 0.5, smallestP: 0.5 })
    expect(against?.aubc?.mean).toBeCloseTo((25 / 300 + 20 / 300) / 2, 12)
    expect(against?.aubc?.standardError).toBeCloseTo(2.5 / 300, 12)
    expect(first?.againstRandom).toBeNull()
  })

  test("finds the labels for equal accuracy on the mean curves", () => {
    expect(second?.againstRandom?.labelSaving).toEqual({ randomLabels: null, strategyLabels: 200 })
    const swapped = summarize([
      ...trajectory("random", 1, [0.5, 0.7, 0.9]),
      ...trajectory("entropy", 1, [0.5, 0.6, 0.8]),
    ]).strategies[1]
    expect(swapped?.againstRandom?.labelSaving.randomLabels).toBeCloseTo(300, 9)
    expect(swapped?.againstRandom?.labelSaving.strategyLabels).toBeNull()
  })

  test("leaves unfinished trials out and pairs only what both finished", () => {
    const more = [...trajectory("random", 3, [0.1]), ...trajectory("learning-loss", 3, [0.5, 0.7, 0.7], 0.7)]
    const [rest, own] = summarize([...random, ...better, ...more]).strategies
    expect(rest).toMatchObject({ finishedTrials: 2, unfinishedTrials: 1 })
    expect(rest?.finalValue?.mean).toBeCloseTo(0.7, 12)
    expect(own?.finalValue?.trials).toBe(3)
    expect(own?.againstRandom?.finalValue?.pairs).toBe(2)
  })

  test("has no area of a single cycle", () => {
    expect(summarize(trajectory("random", 1, [0.5])).strategies[0]?.aubc).toBeNull()
  })
})

describe("verdict", () => {
  test("says so when a strategy did worse, and that one trial says nothing about chance", () => {
    const cycles = [
      ...trajectory("random", 1, [0.5, 0.7, 0.9]),
      ...trajectory("learning-loss", 1, [0.5, 0.6, 0.8], 0.82),
    ]
    expect(verdict(summarize(cycles))).toEqual([
      "With these settings the most accurate strategy at 400 labels was random (90.0%), followed by learning-loss (80.0%).",
      "learning-loss was 10.0 points worse than random at 400 labels (1 trial: no statement about chance). " +
        "Over the whole curve it was on average 8.3 points worse; random reached the final accuracy of " +
        "learning-loss with 300 labels " +
        "instead of 400 (25% fewer). Its loss module put 82.0% of test pairs in the right order, plain confidence of " +
        "the same network 90.0%: confidence ranks better here.",
    ])
  })

  test("says what so few trials cannot show", () => {
    expect(verdict(summarize([...random, ...better]))[1]).toMatch(
      /^learning-loss was 15\.0 points better than random at 400 labels \(± 5\.0 standard error over 2 paired trials, p = 0\.50: may be chance, and 2 trials cannot give a p below 0\.50\)\. Over the whole curve it was on average 7\.5 points better \(± 0\.8 standard error, p = 0\.50\); it reached random's final accuracy with 200 labels instead of 400 \(50% fewer\)\./,
    )
  })

  test("calls a difference that six trials share unlikely to be chance, and warns of several comparisons", () => {
    const trials = [1, 2, 3, 4, 5, 6]
    const cycles = trials.flatMap((trial) => [
      ...trajectory("random", trial, [0.5, 0.6, 0.7]),
      ...trajectory("entropy", trial, [0.5, 0.6, 0.71 + trial / 1000]),
      ...trajectory("core-set", trial, [0.5, 0.6, 0.7]),
    ])
    const said = verdict(summarize(cycles))
    expect(said[1]).toContain("over 6 paired trials, p = 0.031: unlikely to be chance)")
    expect(said[2]).toContain(
      "core-set was level with random at 400 labels (± 0.0 standard error over 6 paired trials, p = 1.00: may be chance)",
    )
    expect(said[3]).toBe("The p-values are not corrected for 2 comparisons with random.")
  })

  test("says what has not finished and what cannot be compared", () => {
    const cycles = [...trajectory("entropy", 1, [0.5, 0.6, 0.7]), ...trajectory("random", 1, [0.5])]
    expect(verdict(summarize(cycles))).toEqual([
      "With these settings test accuracy at 400 labels was 70.0% with entropy.",
      "entropy has no finished trial in common with random, so nothing can be said about its gain.",
      "1 trial of random has not finished and does not count here.",
    ])
  })
})
