import { describe, expect, test } from "vitest"
import type { Lowering } from "../lowering/product.ts"
import { chooseLowering, type OpenTrial } from "./choose-lowering.ts"

interface Fake {
  /** Milliseconds of warming up and of each run; the last one goes on. */
  readonly runs: readonly number[]
  /** What warming up takes without finding memory. */
  readonly atLeast?: number
  readonly result?: readonly number[]
  readonly fails?: boolean
}

/** Lowerings that take as long as they are told, and what was done with them. */
function fakes(given: Readonly<Record<string, Fake>>) {
  const runs: string[] = []
  const open = new Set<string>()
  const candidates = Object.keys(given).map((name): Lowering => {
    const build: Lowering["build"] = () => expect.fail("a fake lowering builds nothing")
    return { name, fits: () => true, build }
  })
  const openTrial: OpenTrial = async ({ name }) => {
    const { runs: times, result = [1, 2, 3], fails = false, atLeast } = given[name] as Fake
    let count = 0
    open.add(name)
    const run = async () => {
      if (fails) throw new Error("no kernel")
      runs.push(name)
      return times[Math.min(count++, times.length - 1)] as number
    }
    return {
      async warmUp() {
        const took = await run()
        return { took, atLeast: atLeast ?? took }
      },
      run,
      result: Float32Array.from(result),
      release: async () => void open.delete(name),
    }
  }
  return { candidates, openTrial, runs, open }
}

describe("choosing a lowering", () => {
  test("the shortest run wins, whatever the first one took", async () => {
    const { candidates, openTrial, open } = fakes({
      plain: { runs: [20] },
      slow: { runs: [100] },
      warm: { runs: [128, 15, 12], atLeast: 9 },
      noisy: { runs: [19, 24, 22] },
    })
    const { chosen, milliseconds } = await chooseLowering(candidates, openTrial)
    expect(chosen).toBe("warm")
    expect(milliseconds).toEqual({ plain: 20, slow: 100, warm: 12, noisy: 19 })
    expect(open.size).toBe(0)
  })

  test("what is clearly slower runs once", async () => {
    const { candidates, openTrial, runs } = fakes({
      plain: { runs: [50] },
      a: { runs: [30] },
      b: { runs: [31] },
      c: { runs: [99] },
    })
    expect((await chooseLowering(candidates, openTrial)).chosen).toBe("a")
    expect(runs.filter((name) => name === "c")).toHaveLength(1)
    expect(runs.filter((name) => name === "a")).toHaveLength(4)
  })

  test("what cannot run or computes something else is never chosen", async () => {
    const { candidates, openTrial, open } = fakes({
      plain: { runs: [50] },
      wrong: { runs: [1], result: [1, 2, 3.1] },
      missing: { runs: [1], fails: true },
      rounded: { runs: [40], result: [1, 2, 3.0001] },
      infinite: { runs: [2], result: [1, 2, Number.POSITIVE_INFINITY] },
    })
    const { chosen, milliseconds } = await chooseLowering(candidates, openTrial)
    expect(chosen).toBe("rounded")
    expect(milliseconds).toEqual({ plain: 50, wrong: null, missing: null, rounded: 40, infinite: null })
    expect(open.size).toBe(0)
  })

  test("where nothing runs the first candidate is named", async () => {
    const { candidates, openTrial } = fakes({ plain: { runs: [1], fails: true }, other: { runs: [1], fails: true } })
    expect((await chooseLowering(candidates, openTrial)).chosen).toBe("plain")
  })
})
