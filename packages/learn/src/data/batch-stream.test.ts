import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { BatchStream } from "./batch-stream.ts"

const cases = [
  { count: 1, batch: 4 },
  { count: 7, batch: 3 },
  { count: 12, batch: 4 },
  { count: 5, batch: 12 },
  { count: 100, batch: 32 },
]

describe.each(cases)("a batch stream of $count samples in batches of $batch", ({ count, batch }) => {
  const steps = Math.ceil((6 * count) / batch)
  const take = (): number[][] => {
    const stream = new BatchStream(count, batch, createRng("run"))
    return Array.from({ length: steps }, (_, step) => stream.positions(step))
  }

  it("gives only full batches of positions inside", () => {
    for (const positions of take()) {
      expect(positions.length).toBe(batch)
      for (const position of positions)
        expect(Number.isInteger(position) && position >= 0 && position < count).toBe(true)
    }
  })

  it("gives every sample once in each permutation, across the ends of batches", () => {
    const all = take().flat()
    for (let start = 0; start + count <= all.length; start += count) {
      expect(new Set(all.slice(start, start + count)).size).toBe(count)
    }
  })

  it("gives the batch of a step without those before, as a resumed run asks for it", () => {
    const batches = take()
    for (const step of [steps - 1, 0, Math.floor(steps / 2)]) {
      expect(new BatchStream(count, batch, createRng("run")).positions(step)).toEqual(batches[step])
      expect(new BatchStream(count, batch, createRng("run")).positions(step)).toEqual(batches[step])
    }
  })

  it("may be asked out of order", () => {
    const batches = take()
    const stream = new BatchStream(count, batch, createRng("run"))
    for (const step of [steps - 1, 0, steps - 1, 1]) expect(stream.positions(step)).toEqual(batches[step])
  })
})

describe("BatchStream", () => {
  it("permutes anew each time", () => {
    const stream = new BatchStream(50, 50, createRng(0))
    expect(stream.positions(0)).not.toEqual(stream.positions(1))
    expect(stream.positions(0)).not.toEqual(new BatchStream(50, 50, createRng(1)).positions(0))
  })

  it("refuses an empty set", () => {
    expect(() => new BatchStream(0, 4, createRng(0))).toThrow()
  })
})
