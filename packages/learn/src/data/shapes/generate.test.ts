import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { describeReader } from "../dataset.test-suite.ts"
import type { ClassificationDataset } from "../dataset.ts"
import { generateShapes } from "./generate.ts"
import { outlines } from "./outlines.ts"

const options = { imageSize: 32, rng: createRng(0) }

describeReader("shapes", (given) => generateShapes("40,20", given))

describe("generateShapes", () => {
  it("gives every class equally often", async () => {
    const { train, test, classNames } = await generateShapes("100,50", options)
    for (const [set, each] of [
      [train, 10],
      [test, 5],
    ] as const) {
      for (const target of classNames.keys()) expect(set.targets.filter((other) => other === target).length).toBe(each)
    }
  })

  it("draws the first images the same however many are drawn, and others with another seed", async () => {
    const small = await generateShapes("30,10", options)
    const large = await generateShapes("60,20", options)
    const other = await generateShapes("30,10", { ...options, rng: createRng(1) })
    expect(small.train.image(29)).toEqual(large.train.image(29))
    expect(small.test.image(9)).toEqual(large.test.image(9))
    expect(small.train.image(29)).not.toEqual(other.train.image(29))
    expect(small.train.image(9)).not.toEqual(small.test.image(9))
  })

  it("cannot be told apart by class means, a linear classifier", async () => {
    const accuracy = nearestMeanAccuracy(await generateShapes("2000,500", options))
    expect(accuracy).toBeGreaterThan(0.08)
    expect(accuracy).toBeLessThan(0.3)
  })

  it.each(["10", "5,10", "1000001,10", "a,b", "-5,10", "10,10,10"])("refuses the size %j", async (size) => {
    await expect(generateShapes(size, options)).rejects.toMatchObject({ code: "BAD_SIZE" })
  })
})

describe("outlines", () => {
  it.each(Object.entries(outlines))("%s lies in the unit circle and covers a good part of it", (_, outline) => {
    let inside = 0
    for (let y = -1.5; y <= 1.5; y += 0.05) {
      for (let x = -1.5; x <= 1.5; x += 0.05) {
        if (outline(x, y) >= 0) continue
        expect(Math.hypot(x, y)).toBeLessThan(1.2)
        inside++
      }
    }
    const share = (inside * 0.05 ** 2) / Math.PI
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.9)
  })
})

function nearestMeanAccuracy({ train, test, classNames }: ClassificationDataset): number {
  const means = classNames.map(() => new Float64Array(train.image(0).length))
  for (const [position, target] of train.targets.entries()) {
    const mean = means[target]!
    for (const [index, value] of train.image(position).entries()) mean[index]! += value
  }
  const counts = classNames.map((_, target) => train.targets.filter((other) => other === target).length)
  let right = 0
  for (const [position, target] of test.targets.entries()) {
    const image = test.image(position)
    const distances = means.map((mean, index) => {
      let sum = 0
      for (let place = 0; place < image.length; place++) sum += (image[place]! - mean[place]! / counts[index]!) ** 2
      return sum
    })
    if (distances.indexOf(Math.min(...distances)) === target) right++
  }
  return right / test.ids.length
}
