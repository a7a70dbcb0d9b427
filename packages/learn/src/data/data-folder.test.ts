import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write } from "./data-files.test-suite.ts"
import { dataFolder, dataPlaces, locateDataset, requireDataset } from "./data-folder.ts"

describe("dataFolder", () => {
  it("is $LEARNLOSS_DATA, else a folder in the cache of the home", () => {
    expect(dataFolder({ LEARNLOSS_DATA: "/data", HOME: "/home/a" })).toBe("/data")
    expect(dataFolder({ LEARNLOSS_DATA: "", HOME: "/home/a" })).toBe(join("/home/a", ".cache", "learnloss"))
    expect(dataPlaces({ HOME: "/home/a" })[0]).toBe(join("/home/a", ".cache", "learnloss"))
  })
})

describe("locateDataset", () => {
  it("finds the first place that has all files, compressed or not, and passes over incomplete ones", () => {
    const [first, second] = [temporaryFolder(), temporaryFolder()]
    const locate = (): string | undefined => locateDataset("toys", ["a.bin", "b.bin"], [first, second])
    mkdirSync(join(first, "toys"))
    write(join(first, "toys", "a.bin"), "x")
    expect(locate()).toBeUndefined()
    write(join(second, "toys", "a.bin"), "x")
    write(join(second, "toys", "b.bin.gz"), "x")
    expect(locate()).toBe(join(second, "toys"))
    write(join(first, "toys", "b.bin"), "x")
    expect(locate()).toBe(join(first, "toys"))
  })

  it("is required with an error that names the places and the command", () => {
    const place = temporaryFolder()
    expect(() => requireDataset("toys", ["a.bin"], [place])).toThrow(
      new RegExp(`${join(place, "toys")}.*learnloss data fetch toys`),
    )
  })
})
