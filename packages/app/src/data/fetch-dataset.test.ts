import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dataFormats } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { catalogue } from "./catalogue.ts"
import { fetchableNames, fetchDataset, findDataset, isAvailable } from "./fetch-dataset.ts"
import { formatCatalogue, listCatalogue } from "./list-catalogue.ts"
import { type DataSource, type FetchEvent, sourceFailed } from "./source.ts"
import { serve, serveFiles, temporaryFolder } from "./test-server.test-suite.ts"
import { webSource } from "./web-source.ts"

const contents = { "a.bin": Buffer.from("aaa"), "b.bin": Buffer.from("bbb") }
const files = Object.entries(contents).map(([name, content]) => ({
  name,
  sha256: createHash("sha256").update(content).digest("hex"),
}))

const broken: DataSource = {
  label: "a broken place",
  async obtain() {
    throw sourceFailed("there", "the file", "nothing")
  },
}

async function setUp() {
  const { address, requests } = await serveFiles(contents)
  const events: FetchEvent[] = []
  const folder = join(temporaryFolder(), "toys")
  const options = { folder, files, places: [], onProgress: (event: FetchEvent) => void events.push(event) }
  return { requests, events, folder, options, working: webSource("a working place", address) }
}

describe("fetchDataset", () => {
  it("takes the first source that gives the files and says what failed before", async () => {
    const { events, folder, options, working } = await setUp()
    const fetched = await fetchDataset("cifar10", { ...options, sources: [broken, working] })
    expect(fetched).toEqual({ name: "cifar10", folder, source: "a working place" })
    expect(readdirSync(folder)).toEqual(["a.bin", "b.bin"])
    expect(events.slice(0, 3)).toEqual([
      { type: "trying", source: "a broken place" },
      { type: "failed", source: "a broken place", reason: "there: nothing" },
      { type: "trying", source: "a working place" },
    ])
  })

  it("passes over a silent host in time", async () => {
    const { options, working } = await setUp()
    const silent = await serve(() => {})
    const start = performance.now()
    const sources = [webSource("a silent place", silent.address, { connectMs: 200, idleMs: 200 }), working]
    expect((await fetchDataset("cifar10", { ...options, sources })).source).toBe("a working place")
    expect(performance.now() - start).toBeLessThan(5000)
    expect(silent.requests.length).toBe(1)
  })

  it("fetches only what is missing or damaged", async () => {
    const { requests, folder, options, working } = await setUp()
    mkdirSync(folder)
    writeFileSync(join(folder, "a.bin"), "aaa")
    writeFileSync(join(folder, "b.bin"), "bXb")
    await fetchDataset("cifar10", { ...options, sources: [working] })
    expect(requests).toEqual(["/b.bin"])
    expect(readFileSync(join(folder, "b.bin"), "utf8")).toBe("bbb")
  })

  it("fetches nothing that is whole here or in another place", async () => {
    const { folder, options } = await setUp()
    const place = temporaryFolder()
    mkdirSync(join(place, "cifar10"))
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(place, "cifar10", name), content)
    const found = await fetchDataset("cifar10", { ...options, places: [place], sources: [broken] })
    expect(found).toEqual({ name: "cifar10", folder: join(place, "cifar10"), source: null })
    expect(() => readdirSync(folder)).toThrow()
  })

  it("tells the reason of every source when all fail", async () => {
    const { options } = await setUp()
    await expect(fetchDataset("cifar10", { ...options, sources: [broken, broken] })).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringMatching(/a broken place: there: nothing; a broken place: there: nothing.*a\.bin, b\.bin/),
    })
  })

  it("does not go on to another source when the disk is full", async () => {
    const { options, working } = await setUp()
    const full: DataSource = {
      label: "any",
      async obtain() {
        throw new LearnlossError("FILE_NOT_WRITTEN", { where: "a", expected: "to write", got: "ENOSPC" })
      },
    }
    await expect(fetchDataset("cifar10", { ...options, sources: [full, working] })).rejects.toMatchObject({
      code: "FILE_NOT_WRITTEN",
    })
  })

  it("stops at Ctrl-C, keeps what came and goes on with it the next time", async () => {
    const { requests, folder, options, working } = await setUp()
    const slow = await serve((_, response) => {
      response.writeHead(200, { "content-length": 3 })
      response.write("a")
    })
    const controller = new AbortController()
    const stop = fetchDataset("cifar10", {
      ...options,
      sources: [webSource("slow", slow.address), working],
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === "bytes" && event.done > 0) controller.abort()
      },
    })
    await expect(stop).rejects.toMatchObject({ name: "AbortError" })
    expect(readdirSync(folder)).toEqual(["a.bin.partial"])
    await fetchDataset("cifar10", { ...options, sources: [working] })
    expect(requests).toEqual(["/a.bin bytes=1-", "/b.bin"])
    expect(readdirSync(folder)).toEqual(["a.bin", "b.bin"])
  })

  it("refuses what cannot be fetched, naming the near miss", async () => {
    await expect(fetchDataset("fashion-mnits")).rejects.toThrow(/Did you mean fashion-mnist\?/)
    await expect(fetchDataset("shapes")).rejects.toThrow(/needs no fetching/)
    await expect(fetchDataset("whatever-else")).rejects.toThrow(/cifar10, fashion-mnist/)
  })

  it("says when the folder cannot be made", async () => {
    const { folder, options } = await setUp()
    writeFileSync(folder, "a file")
    await expect(fetchDataset("cifar10", { ...options, sources: [broken] })).rejects.toMatchObject({
      code: "FILE_NOT_WRITTEN",
      message: expect.stringContaining("LEARNLOSS_DATA"),
    })
  })
})

describe("the catalogue", () => {
  it("fetches from HTTPS addresses only, with a check for every file but the list of names", () => {
    expect(fetchableNames()).toEqual(["cifar10", "fashion-mnist"])
    for (const { recipe } of [catalogue.cifar10, catalogue["fashion-mnist"]]) {
      const unchecked = recipe.files.filter((file) => !("sha256" in file) && !("bytes" in file))
      expect(unchecked.map((file) => file.name).join()).toMatch(/^(batches\.meta\.txt)?$/)
    }
  })

  it("finds whole data sets only", () => {
    const place = temporaryFolder()
    const folder = join(place, "fashion-mnist")
    mkdirSync(folder)
    const names = catalogue["fashion-mnist"].recipe.files.map((file) => file.name)
    for (const name of names.slice(1)) writeFileSync(join(folder, name), "")
    expect(isAvailable("fashion-mnist", [place])).toBe(false)
    writeFileSync(join(folder, (names[0] ?? "").replace(".gz", "")), "")
    expect(findDataset("fashion-mnist", [place])).toBe(folder)
    expect(isAvailable("shapes", [place])).toBe(true)
    expect(isAvailable("images", [place])).toBe(false)
  })

  it("is listed with what is here and how to fetch the rest", () => {
    const listed = listCatalogue([temporaryFolder()])
    expect(listed.map((entry) => entry.name).sort()).toEqual([...dataFormats].sort())
    expect(formatCatalogue(listed)).toMatch(/not here: learnloss data fetch fashion-mnist/)
  })
})
