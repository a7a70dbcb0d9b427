import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dataFormats } from "@learnloss/contract"
import { Command } from "commander"
import { describe, expect, it, onTestFinished } from "vitest"
import { sourceFailed } from "../data/source.ts"
import { addDataCommand, type FetchDataset } from "./data.ts"

async function run(args: readonly string[], fetch?: FetchDataset, signal = new AbortController().signal) {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const io = {
    stdout: (text: string) => void stdout.push(text),
    stderr: (text: string) => void stderr.push(text),
    isTerminal: false,
    signal,
  }
  const program = new Command("learnloss").exitOverride().configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
  addDataCommand(program, io, fetch)
  const error = await program.parseAsync(["data", ...args], { from: "user" }).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  return { stdout: stdout.join(""), stderr: stderr.join(""), error }
}

describe("learnloss data list", () => {
  it("names every format, as text and as JSON", async () => {
    expect((await run(["list"])).stdout).toMatch(/cifar10:DIR.*fashion-mnist:DIR.*images:DIR.*shapes/s)
    const listed = JSON.parse((await run(["list", "--json"])).stdout)
    expect(listed).toHaveLength(dataFormats.length)
    expect(listed[3]).toMatchObject({ name: "shapes", isFetchable: false, folder: null })
  })
})

describe("learnloss data check", () => {
  it("prints counts, shape and a histogram of the labels", async () => {
    const { stdout, error } = await run(["check", "shapes:40,20"])
    expect(error).toBeUndefined()
    expect(stdout).toMatch(/training {2}40 images.*test {6}20 images.*32x32 pixels, 3 channels/s)
    expect(stdout).toMatch(/crescent +4 +2 {2}█+\n/)
    expect(stdout).toMatch(/no defects\n$/)
  })

  it("prints one JSON object", async () => {
    const summary = JSON.parse((await run(["check", "shapes:40,20", "--json"])).stdout)
    expect(summary).toMatchObject({ data: "shapes:40,20", trainImages: 40, testImages: 20, defects: [] })
    expect(summary.classes[0]).toEqual({ name: "circle", train: 4, test: 2 })
  })

  it("counts boxes of drawn pictures", async () => {
    const { stdout } = await run(["check", "shapes-detection:40,20"])
    expect(stdout).toMatch(/128 x 128 pixels\n.* train +test\n +images +40 +20\n.*crescent +\d+ +\d+\n\nno defects\n$/s)
  })

  it("tells every defect with file and reason, and fails on those that matter", async () => {
    const folder = mkdtempSync(join(tmpdir(), "learnloss-check-"))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const name of ["cat", "dog"]) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, "1.png"), "")
      writeFileSync(join(folder, name, "notes.txt"), "")
    }
    const { stdout, stderr, error } = await run(["check", `images:${folder}`])
    expect(error).toMatchObject({ code: "BAD_IMAGE" })
    expect(stdout).toBe("")
    for (const name of ["cat", "dog"])
      expect(stderr).toContain(`${join(folder, name, "1.png")}: expected an image, got`)
  })

  it("refuses unknown formats and sizes", async () => {
    expect((await run(["check", "shape"])).error).toMatchObject({ code: "UNKNOWN_FORMAT" })
    expect((await run(["check", "shapes", "--image-size", "4"])).error?.message).toMatch(/8\.\.1024/)
  })
})

describe("learnloss data fetch", () => {
  const found: FetchDataset = async (name, { onProgress }) => {
    onProgress?.({ type: "trying", source: "the official address" })
    return { name, folder: "/data/toys", source: "the official address" }
  }

  it("shows progress on stderr and the place on stdout", async () => {
    const { stdout, stderr } = await run(["fetch", "toys"], found)
    expect(stderr).toBe("from the official address\n")
    expect(stdout).toBe("toys: fetched from the official address, in /data/toys\n")
    expect(JSON.parse((await run(["fetch", "toys", "--json"], found)).stdout)).toMatchObject({ folder: "/data/toys" })
  })

  it("says when there was nothing to do", async () => {
    const { stdout } = await run(["fetch", "toys"], async (name) => ({ name, folder: "/data/toys", source: null }))
    expect(stdout).toBe("toys: was there already, in /data/toys\n")
  })

  it("passes errors on", async () => {
    const failing: FetchDataset = async () => {
      throw sourceFailed("there", "the file", "nothing")
    }
    const { error, stdout } = await run(["fetch", "toys"], failing)
    expect(error).toMatchObject({ code: "SOURCE_FAILED" })
    expect(stdout).toBe("")
    expect((await run(["fetch", "fashion-mnis"])).error).toMatchObject({ code: "NOT_FETCHABLE" })
  })

  it("says after Ctrl-C how to go on", async () => {
    const aborted: FetchDataset = async (_, { signal }) => {
      signal?.throwIfAborted()
      throw new Error("not aborted")
    }
    const { error, stderr } = await run(["fetch", "toys"], aborted, AbortSignal.abort())
    expect(error).toMatchObject({ name: "AbortError" })
    expect(stderr).toContain("the same command goes on")
  })
})
