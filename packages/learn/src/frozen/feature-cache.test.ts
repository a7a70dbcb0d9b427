import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FileOperations, nodeFileOperations } from "@learnloss/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { FeatureCache, featureCacheFolder, featureCacheRoot, largeCacheNotice } from "./feature-cache.ts"

let folder: string
const opened: FeatureCache[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-cache-"))
})
afterEach(() => {
  for (const cache of opened.splice(0)) cache.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(operations: FileOperations = nodeFileOperations, width = 3): FeatureCache {
  const cache = FeatureCache.open(folder, { width, about: { model: "m" }, operations })
  opened.push(cache)
  return cache
}

const entry = (key: string, stamp = "1") => ({ key, stamp })
const add = (cache: FeatureCache, keys: readonly string[], from: number) =>
  cache.append(
    keys.map((key) => entry(key)),
    Float32Array.from({ length: keys.length * cache.width }, (_, index) => from + index),
  )
const rowOf = (cache: FeatureCache, key: string) => {
  const handle = cache.find(entry(key))
  if (handle === undefined) return undefined
  const row = new Float32Array(cache.width)
  cache.read([handle], row)
  return [...row]
}
const fileEnding = (suffix: string) => join(folder, readdirSync(folder).find((name) => name.endsWith(suffix))!)

describe("the feature cache", () => {
  it("is spoken of where it may take more than 1 GiB", () => {
    expect(largeCacheNotice(2 ** 18, 2 ** 10, "here")).toBeUndefined()
    expect(largeCacheNotice(2 ** 18 + 2 ** 17, 2 ** 10, "here")).toMatch(
      /kept in here: up to 1\.5 GiB.*LEARNLOSS_CACHE/,
    )
  })

  it("gives back what was added, to the same process and to a later one", () => {
    const cache = open()
    add(cache, ["a", "b"], 0)
    add(cache, ["c \n é"], 100)
    for (const each of [cache, open()]) {
      expect([each.size, rowOf(each, "b"), rowOf(each, "c \n é")]).toEqual([3, [3, 4, 5], [100, 101, 102]])
    }
  })

  it("reads rows in any order, of several segments", () => {
    add(open(), ["a", "b", "c"], 0)
    const cache = open()
    add(cache, ["d", "e"], 50)
    const handles = ["e", "b", "c", "a", "d"].map((key) => cache.find(entry(key))!)
    const rows = new Float32Array(15)
    cache.read(handles, rows)
    expect([...rows]).toEqual([53, 54, 55, 3, 4, 5, 6, 7, 8, 0, 1, 2, 50, 51, 52])
  })

  it("knows no row of a source that has changed", () => {
    const cache = open()
    add(cache, ["a"], 0)
    expect(cache.find(entry("a", "2"))).toBeUndefined()
    cache.append([entry("a", "2")], Float32Array.of(7, 8, 9))
    const row = new Float32Array(3)
    cache.read([cache.find(entry("a", "2"))!], row)
    expect([...row]).toEqual([7, 8, 9])
  })

  it("loses nothing but what was cut off, wherever a kill falls", () => {
    add(open(), ["a", "b", "c"], 0)
    const index = fileEnding(".index")
    const rows = fileEnding(".rows")
    const whole = { index: readFileSync(index), rows: readFileSync(rows) }
    const lineEnds = [...whole.index.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)
    // Rows are written before their lines, so either the last row or the last line is cut off.
    for (let length = 0; length <= whole.index.length; length++) {
      writeFileSync(index, whole.index.subarray(0, length))
      const cache = open()
      expect(cache.size).toBe(lineEnds.filter((end) => end <= length).length)
      if (cache.size > 0) expect(rowOf(cache, "a")).toEqual([0, 1, 2])
    }
    for (let length = 24; length < whole.rows.length; length++) {
      writeFileSync(rows, whole.rows.subarray(0, length))
      expect(open().size).toBe(2)
    }
  })

  it("goes on after a cut without harm to what comes later", () => {
    add(open(), ["a", "b"], 0)
    appendFileSync(fileEnding(".rows"), Buffer.alloc(5))
    appendFileSync(fileEnding(".index"), '["half')
    const second = open()
    add(second, ["c"], 30)
    const third = open()
    expect([third.size, rowOf(third, "b"), rowOf(third, "c")]).toEqual([3, [3, 4, 5], [30, 31, 32]])
  })

  it("serves two processes at once: neither spoils what the other writes", () => {
    const [one, two] = [open(), open()]
    add(one, ["a"], 0)
    add(two, ["b"], 10)
    add(one, ["c"], 20)
    add(two, ["d"], 30)
    const later = open()
    expect(["a", "b", "c", "d"].map((key) => rowOf(later, key)?.[0])).toEqual([0, 10, 20, 30])
  })

  it("keeps every earlier row when the disk runs full, at any write", () => {
    for (const failAt of [0, 1, 2, 3, 4]) {
      rmSync(folder, { recursive: true, force: true })
      let writes = 0
      let isFull = true
      const cache = open({
        ...nodeFileOperations,
        write(descriptor, bytes, offset) {
          // The first write is the file that tells people what this is; half of what does not fit is written.
          if (isFull && ++writes === failAt + 2) {
            nodeFileOperations.write(descriptor, bytes.subarray(0, bytes.length >> 1), offset)
            throw new Error("ENOSPC: no space left on device")
          }
          return nodeFileOperations.write(descriptor, bytes, offset)
        },
      })
      const done: string[] = []
      const failures: unknown[] = []
      for (const key of ["a", "b", "c"]) {
        try {
          add(cache, [key], 10 * done.length)
          done.push(key)
        } catch (error) {
          failures.push(error)
          break
        }
      }
      expect(failures).toEqual([expect.objectContaining({ code: "FILE_NOT_WRITTEN" })])
      isFull = false
      add(cache, ["z"], 500)
      for (const each of [cache, open()]) {
        expect([...done, "z"].every((key) => rowOf(each, key) !== undefined)).toBe(true)
        expect(rowOf(each, "z")).toEqual([500, 501, 502])
      }
    }
  })

  it("refuses features of another width and rows that vanish", () => {
    const cache = open()
    add(cache, ["a"], 0)
    expect(() => open(nodeFileOperations, 4)).toThrow(/features of width 4, got width 3/)
    truncateSync(fileEnding(".rows"), 4)
    expect(() => rowOf(cache, "a")).toThrow(/cut off/)
    writeFileSync(join(folder, "about.json"), "{")
    expect(() => open()).toThrow(expect.objectContaining({ code: "FEATURE_CACHE_BROKEN" }))
  })

  it("lives where LEARNLOSS_CACHE says, in a folder for everything that its features depend on", () => {
    expect(featureCacheRoot({ LEARNLOSS_CACHE: "/c" })).toBe(join("/c", "features"))
    expect(featureCacheRoot({ HOME: "/home/x" })).toBe("/home/x/.cache/learnloss/features")
    const of = (about: object) => featureCacheFolder("/c", about)
    expect(of({ model: "a" })).toBe(of({ model: "a" }))
    expect(of({ model: "a" })).not.toBe(of({ model: "b" }))
  })
})
