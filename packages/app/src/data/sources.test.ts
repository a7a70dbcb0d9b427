import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { archiveSource } from "./archive-source.ts"
import { debianSource } from "./debian-source.ts"
import type { RunCommand } from "./run-command.ts"
import { sourceFailed } from "./source.ts"
import { requestFiles, serveFiles, temporaryFolder } from "./test-server.test-suite.ts"
import { webSource } from "./web-source.ts"

const text = Buffer.from("the content, as it is published")
const sha256 = createHash("sha256").update(text).digest("hex")
const files = [{ name: "a.gz", sha256 }]

describe("webSource", () => {
  it("verifies the decompressed content, however it was compressed", async () => {
    for (const level of [1, 9]) {
      const { address } = await serveFiles({ "a.gz": gzipSync(text, { level }) })
      const folder = temporaryFolder()
      await webSource("here", address).obtain(requestFiles(folder, files))
      expect(readdirSync(folder)).toEqual(["a.gz"])
    }
  })

  it("leaves nothing behind of a file with another checksum", async () => {
    const { address } = await serveFiles({ "a.gz": gzipSync("something else") })
    const folder = temporaryFolder()
    await expect(webSource("here", address).obtain(requestFiles(folder, files))).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      message: expect.stringMatching(/a\.gz: expected the published checksum, got SHA-256/),
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it("refuses cut-off gzip", async () => {
    const { address } = await serveFiles({ "a.gz": gzipSync(text).subarray(0, 20) })
    await expect(webSource("here", address).obtain(requestFiles(temporaryFolder(), files))).rejects.toMatchObject({
      code: "SOURCE_FAILED",
    })
  })

  it("starts again when what was there before is of another version", async () => {
    const content = gzipSync(text)
    const { address, requests } = await serveFiles({ "a.gz": content })
    const folder = temporaryFolder()
    writeFileSync(join(folder, "a.gz.partial"), "old")
    const request = requestFiles(folder, files)
    await webSource("here", address).obtain(request)
    expect(requests).toEqual(["/a.gz bytes=3-", "/a.gz"])
    expect(readFileSync(join(folder, "a.gz")).equals(content)).toBe(true)
    expect(request.events).toContainEqual({ type: "step", text: expect.stringContaining("starting again") })
  })
})

describe("archiveSource", () => {
  function pack(content: Readonly<Record<string, string>>): Buffer {
    const folder = temporaryFolder()
    mkdirSync(join(folder, "inner"))
    for (const [name, value] of Object.entries(content)) writeFileSync(join(folder, "inner", name), value)
    execFileSync("tar", ["-czf", join(folder, "all.tar.gz"), "-C", folder, "inner"])
    return readFileSync(join(folder, "all.tar.gz"))
  }
  const wanted = [{ name: "a.bin", bytes: 3 }, { name: "b.txt" }]

  it("unpacks the wanted files and leaves nothing else behind", async () => {
    const archive = pack({ "a.bin": "abc", "b.txt": "b", "readme.html": "" })
    const { address } = await serveFiles({ "all.tar.gz": archive })
    const folder = temporaryFolder()
    const md5 = createHash("md5").update(archive).digest("hex")
    await archiveSource("here", { url: `${address}/all.tar.gz`, md5 }).obtain(requestFiles(folder, wanted))
    expect(readdirSync(folder).sort()).toEqual(["a.bin", "b.txt"])
  })

  it("refuses another checksum, before unpacking anything", async () => {
    const { address } = await serveFiles({ "all.tar.gz": pack({ "a.bin": "abc", "b.txt": "b" }) })
    const folder = temporaryFolder()
    const source = archiveSource("here", { url: `${address}/all.tar.gz`, md5: "0".repeat(32) })
    await expect(source.obtain(requestFiles(folder, wanted))).rejects.toThrow(/expected MD5 0000/)
    expect(readdirSync(folder)).toEqual([])
  })

  it("refuses a file of another length in it, and a machine without tar", async () => {
    const archive = pack({ "a.bin": "too long", "b.txt": "b" })
    const { address } = await serveFiles({ "all.tar.gz": archive })
    const location = { url: `${address}/all.tar.gz`, md5: createHash("md5").update(archive).digest("hex") }
    const folder = temporaryFolder()
    await expect(archiveSource("here", location).obtain(requestFiles(folder, wanted))).rejects.toThrow(
      /8 bytes instead of 3/,
    )
    const noTar: RunCommand = async () => {
      throw sourceFailed("tar", "the command tar", "no such command on this machine")
    }
    await expect(archiveSource("here", location, {}, noTar).obtain(requestFiles(folder, wanted))).rejects.toThrow(
      /no such command/,
    )
    expect(readdirSync(folder)).toEqual(["all.tar.gz.partial"])
  })
})

describe("debianSource", () => {
  /** Does what apt-get and dpkg-deb would do, with one file in the package. */
  function pretend(content: Uint8Array, log: string[] = []): RunCommand {
    return async (program, args, { cwd }) => {
      log.push([program, ...args.filter((_, index) => args[index - 1] !== "-o" && args[index] !== "-o")].join(" "))
      if (args.includes("download")) writeFileSync(join(cwd ?? "", "toys_1_all.deb"), "")
      if (program !== "dpkg-deb") return
      const path = join(args.at(-1) ?? "", "usr/share/toys/a.gz")
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
  }

  it("downloads with lists of its own, unpacks, verifies and cleans up", async () => {
    const log: string[] = []
    const folder = temporaryFolder()
    writeFileSync(join(folder, "a.gz.partial"), "of an earlier download")
    let settings: readonly string[] = []
    const run: RunCommand = (program, args, options) => {
      if (args.includes("update")) settings = args
      return pretend(gzipSync(text), log)(program, args, options)
    }
    await debianSource("toys", "usr/share/toys", run).obtain(requestFiles(folder, files))
    expect(readdirSync(folder)).toEqual(["a.gz"])
    expect(log.slice(0, 2)).toEqual(["apt-get update", "apt-get download toys"])
    expect(log[2]).toMatch(/^dpkg-deb -x \S+toys_1_all\.deb \S+unpacked$/)
    const lists = settings.find((setting) => setting.startsWith("Dir::State::Lists="))?.split("=")[1] ?? ""
    expect(lists).not.toBe("")
    expect(existsSync(dirname(lists))).toBe(false)
    expect(settings).toContain("APT::Sandbox::User=")
  })

  it("refuses a package with other content or without the file", async () => {
    const folder = temporaryFolder()
    const other = debianSource("toys", "usr/share/toys", pretend(gzipSync("else")))
    await expect(other.obtain(requestFiles(folder, files))).rejects.toMatchObject({ code: "SOURCE_FAILED" })
    const elsewhere = debianSource("toys", "usr/share/games", pretend(gzipSync(text)))
    await expect(elsewhere.obtain(requestFiles(folder, files))).rejects.toThrow(/usr\/share\/games\/a\.gz/)
    expect(readdirSync(folder)).toEqual([])
  })
})
