import { describe, expect, test } from "vitest"
import { PictureCache } from "./picture-cache.ts"

function createCache() {
  const made: string[] = []
  const cache = new PictureCache<Uint8Array>((bytes) => bytes.length)
  const get = (key: string, bytes = 10, limit = 30) => {
    const make = async () => {
      made.push(key)
      return new Uint8Array(bytes)
    }
    return cache.get(key, make, limit)
  }
  return { cache, made, get }
}

describe("the cache of pictures", () => {
  test("makes what it has once, also when it is asked for while it is being made", async () => {
    const { made, get } = createCache()
    const [first, second] = await Promise.all([get("a"), get("a")])
    expect(second).toBe(first)
    expect(await get("a")).toBe(first)
    expect(made).toEqual(["a"])
  })

  test("forgets what was asked for longest ago when there is no more room", async () => {
    const { cache, made, get } = createCache()
    for (const key of ["a", "b", "c", "a", "d"]) await get(key)
    expect(cache.bytes).toBe(30)
    for (const key of ["a", "c", "d", "b"]) await get(key)
    expect(made).toEqual(["a", "b", "c", "d", "b"])
  })

  test("does not keep what is larger than all the room, and gives it all the same", async () => {
    const { cache, get } = createCache()
    expect((await get("huge", 31)).length).toBe(31)
    expect(cache.bytes).toBe(0)
  })

  test("stays within its room when many are made at once", async () => {
    const { cache, get } = createCache()
    await Promise.all(Array.from({ length: 50 }, (_, index) => get(String(index), 7)))
    expect(cache.bytes).toBeLessThanOrEqual(30)
    expect(cache.bytes).toBeGreaterThan(20)
  })

  test("tries again after a failure", async () => {
    const { get, cache } = createCache()
    const fail = () => Promise.reject(new Error("no disk"))
    await expect(Promise.all([cache.get("a", fail, 30), cache.get("a", fail, 30)])).rejects.toThrow("no disk")
    expect((await get("a")).length).toBe(10)
  })
})
