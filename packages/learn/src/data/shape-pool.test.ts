import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import type { ClassificationDataset } from "./dataset.ts"
import { sampleSet } from "./sample-set.ts"
import { shapePool } from "./shape-pool.ts"

/** A data set with the given number of training images of each class and one pixel-pair images that hold the position. */
function datasetOf(trainCounts: readonly number[], testCounts: readonly number[] = trainCounts): ClassificationDataset {
  const split = (name: string, counts: readonly number[]) => {
    const targets = counts.flatMap((count, target) => Array<number>(count).fill(target))
    const ids = targets.map((_, position) => `${name}/${position}`)
    const images = targets.map((_, position) => Uint8Array.of(position >> 8, position & 255))
    return sampleSet(name, ids, targets, images)
  }
  return {
    name: "counted",
    imageShape: { channels: 1, height: 1, width: 2 },
    classNames: trainCounts.map((_, target) => `class ${target}`),
    normalization: { mean: [0.5], std: [0.5] },
    train: split("train", trainCounts),
    test: split("test", testCounts),
  }
}

function countClasses({ train, classNames }: ClassificationDataset): number[] {
  return classNames.map((_, target) => train.targets.filter((other) => other === target).length)
}

const asIs = { imbalance: 1, size: null, testSize: null }

describe("shapePool", () => {
  it("keeps everything when nothing is asked for", () => {
    const dataset = datasetOf([5, 7])
    const pool = shapePool(dataset, asIs, createRng(0))
    expect(pool.train.ids).toEqual(dataset.train.ids)
    expect(pool.test.ids).toEqual(dataset.test.ids)
  })

  it("thins classes out along an exponential profile from largest to smallest", () => {
    const dataset = datasetOf(Array<number>(10).fill(600))
    const counts = countClasses(shapePool(dataset, { ...asIs, imbalance: 100 }, createRng(0)))
    const expected = counts.map((_, rank) => Math.floor(600 * 100 ** (-rank / 9)))
    expect(counts.toSorted((a, b) => b - a)).toEqual(expected)
    expect(expected.at(0)! / expected.at(-1)!).toBe(100)
  })

  it("lets the seed choose which class is rare and which images stay", () => {
    const dataset = datasetOf(Array<number>(5).fill(100))
    const pools = [0, 1, 2, 3, 4, 5].map((seed) => shapePool(dataset, { ...asIs, imbalance: 10 }, createRng(seed)))
    expect(new Set(pools.map((pool) => countClasses(pool).join())).size).toBeGreaterThan(1)
    const again = shapePool(dataset, { ...asIs, imbalance: 10 }, createRng(3))
    expect(again.train.ids).toEqual(pools[3]!.train.ids)
  })

  it("takes no more of a class than it has and never its last image", () => {
    const counts = countClasses(shapePool(datasetOf([1000, 3, 1, 2]), { ...asIs, imbalance: 1000 }, createRng(2)))
    expect(counts.every((count, target) => count >= 1 && count <= [1000, 3, 1, 2][target]!)).toBe(true)
  })

  it("draws size and testSize images, and leaves the test set balanced", () => {
    const dataset = datasetOf([300, 300, 300], [50, 50, 50])
    const pool = shapePool(dataset, { imbalance: 10, size: 100, testSize: 60 }, createRng(0))
    expect(pool.train.ids.length).toBe(100)
    expect(pool.test.ids.length).toBe(60)
    for (const target of [0, 1, 2])
      expect(pool.test.targets.filter((other) => other === target).length).toBeGreaterThan(10)
  })

  it("keeps ids, labels and pixels together, in order and without copies", () => {
    const dataset = datasetOf([200, 200])
    const { train } = shapePool(dataset, { imbalance: 5, size: 50, testSize: null }, createRng(4))
    const positions = train.ids.map((id) => dataset.train.ids.indexOf(id))
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    expect(new Set(positions).size).toBe(50)
    for (const [position, from] of positions.entries()) {
      expect(train.targets[position]).toBe(dataset.train.targets[from])
      expect(train.image(position)).toBe(dataset.train.image(from))
    }
    expect(() => train.image(50)).toThrow(RangeError)
  })

  it("leaves the data set it was given as it was", () => {
    const dataset = datasetOf([20, 20])
    shapePool(dataset, { imbalance: 5, size: 10, testSize: 5 }, createRng(0))
    expect([dataset.train.ids.length, dataset.test.ids.length]).toEqual([40, 40])
  })

  it("refuses sizes above what there is", () => {
    const dataset = datasetOf([20, 20])
    expect(() => shapePool(dataset, { ...asIs, size: 41 }, createRng(0))).toThrow(/pool.size .*at most the 40/)
    expect(() => shapePool(dataset, { ...asIs, testSize: 41 }, createRng(0))).toThrow(/pool.testSize/)
  })
})
