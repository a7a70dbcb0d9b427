import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import type { ClassificationDataset } from "./dataset.ts"
import type { ReadOptions } from "./reader.ts"

/** What holds for every reader; `open` reads the same data again at each call. */
export function describeReader(name: string, open: (options: ReadOptions) => Promise<ClassificationDataset>): void {
  const read = (seed = 0): Promise<ClassificationDataset> => open({ imageSize: 16, rng: createRng(seed) })

  describe(`every reader: ${name}`, () => {
    it("gives each sample an id of its own, over both splits", async () => {
      const { train, test } = await read()
      const ids = [...train.ids, ...test.ids]
      expect(new Set(ids).size).toBe(ids.length)
      expect(Math.min(train.ids.length, test.ids.length)).toBeGreaterThan(0)
    })

    it("gives images of the stated shape", async () => {
      const { train, test, imageShape } = await read()
      const bytes = imageShape.channels * imageShape.height * imageShape.width
      for (const set of [train, test]) {
        for (const position of set.ids.keys()) expect(set.image(position).length).toBe(bytes)
      }
    })

    it("gives a label of a named class to every sample", async () => {
      const { train, test, classNames } = await read()
      expect(new Set(classNames).size).toBe(classNames.length)
      expect(classNames.length).toBeGreaterThan(1)
      for (const set of [train, test]) {
        expect(set.targets.length).toBe(set.ids.length)
        for (const target of set.targets) expect(classNames[target]).toBeTypeOf("string")
      }
    })

    it("states a usable normalisation for each channel", async () => {
      const { normalization, imageShape } = await read()
      expect(normalization.mean.length).toBe(imageShape.channels)
      expect(normalization.std.length).toBe(imageShape.channels)
      for (const mean of normalization.mean) expect(mean >= 0 && mean <= 1).toBe(true)
      for (const std of normalization.std) expect(std).toBeGreaterThan(0)
    })

    it("reads the same twice with the same seed", async () => {
      const [first, second] = [await read(5), await read(5)]
      expect(second.train.ids).toEqual(first.train.ids)
      expect(second.test.targets).toEqual(first.test.targets)
      expect(second.normalization).toEqual(first.normalization)
      for (const position of first.train.ids.keys()) {
        expect(Buffer.compare(second.train.image(position), first.train.image(position))).toBe(0)
      }
    })

    it("refuses a position outside a split", async () => {
      const { train } = await read()
      expect(() => train.image(train.ids.length)).toThrow(RangeError)
      expect(() => train.image(-1)).toThrow(RangeError)
    })

    it("tells its progress up to the end", async () => {
      const calls: [number, number][] = []
      await open({ imageSize: 16, rng: createRng(0), onProgress: (done, total) => calls.push([done, total]) })
      const [done, total] = calls.at(-1)!
      expect(done).toBe(total)
    })

    it("stops when its signal aborts", async () => {
      const signal = AbortSignal.abort()
      await expect(open({ imageSize: 16, rng: createRng(0), signal })).rejects.toThrow()
    })
  })
}
