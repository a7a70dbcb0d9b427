import { describe, expect, test } from "vitest"
import { cacheFolder } from "./cache-folder.ts"

describe("the cache folder", () => {
  test("is where LEARNLOSS_CACHE says, else in the person's caches", () => {
    expect(cacheFolder({ LEARNLOSS_CACHE: "/c", XDG_CACHE_HOME: "/x", HOME: "/home/a" })).toBe("/c")
    expect(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/home/a" })).toBe("/x/learnloss")
    expect(cacheFolder({ LEARNLOSS_CACHE: "", HOME: "/home/a" })).toBe("/home/a/.cache/learnloss")
  })
})
