import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { defaultPatience, download } from "./download.ts"
import { serve, serveFiles, temporaryFolder } from "./test-server.test-suite.ts"

const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251))
const signal = new AbortController().signal
const patience = { connectMs: 150, idleMs: 150 }

function target(start?: Uint8Array): string {
  const path = join(temporaryFolder(), "a.bin.partial")
  if (start !== undefined) writeFileSync(path, start)
  return path
}

describe("download", () => {
  it("writes the file and counts its bytes up to the total", async () => {
    const { address } = await serveFiles({ "a.bin": content })
    const path = target()
    const seen: [number, number | undefined][] = []
    const isContinued = await download(`${address}/a.bin`, path, { signal, onBytes: (...counts) => seen.push(counts) })
    expect(isContinued).toBe(false)
    expect(readFileSync(path).equals(content)).toBe(true)
    expect(seen[0]).toEqual([0, content.length])
    expect(seen.at(-1)).toEqual([content.length, content.length])
  })

  it("goes on behind what is there", async () => {
    const { address, requests } = await serveFiles({ "a.bin": content })
    const path = target(content.subarray(0, 50_000))
    expect(await download(`${address}/a.bin`, path, { signal })).toBe(true)
    expect(requests).toEqual(["/a.bin bytes=50000-"])
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  it("starts again when the server cannot go on", async () => {
    const { address } = await serve((_, response) => response.end(content))
    const path = target(Buffer.from("something else"))
    expect(await download(`${address}/a.bin`, path, { signal })).toBe(false)
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  it("is done when everything is there, and starts again when there is too much", async () => {
    const { address, requests } = await serveFiles({ "a.bin": content })
    const whole = target(content)
    expect(await download(`${address}/a.bin`, whole, { signal })).toBe(true)
    expect(requests.length).toBe(1)
    const longer = target(Buffer.concat([content, content]))
    await download(`${address}/a.bin`, longer, { signal })
    expect(readFileSync(longer).equals(content)).toBe(true)
  })

  it("keeps what came when the connection breaks off, for the next time", async () => {
    const { address } = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length })
      response.write(content.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 50))
    })
    const path = target()
    await expect(download(`${address}/a.bin`, path, { signal })).rejects.toMatchObject({ code: "SOURCE_FAILED" })
    const kept = readFileSync(path)
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.equals(content.subarray(0, kept.length))).toBe(true)
  })

  it("refuses an error page", async () => {
    const { address } = await serveFiles({})
    const path = target()
    await expect(download(`${address}/a.bin`, path, { signal })).rejects.toThrow(/HTTP 404/)
    expect(existsSync(path)).toBe(false)
  })

  it("refuses a host that nobody answers at", async () => {
    await expect(download("http://127.0.0.1:1/a.bin", target(), { signal })).rejects.toMatchObject({
      code: "SOURCE_FAILED",
    })
  })

  it("gives a host up that says nothing at all", async () => {
    const { address } = await serve(() => {})
    const start = performance.now()
    await expect(download(`${address}/a.bin`, target(), { signal, ...patience })).rejects.toThrow(/silence for 0\.15 s/)
    expect(performance.now() - start).toBeLessThan(3000)
  })

  it("gives a host up that falls silent, or only trickles, in the middle", async () => {
    for (const trickleMs of [1e6, 40]) {
      const { address } = await serve((_, response) => {
        response.writeHead(200, { "content-length": content.length })
        response.write(content.subarray(0, 5000))
        const timer = setInterval(() => response.write("."), trickleMs)
        response.on("close", () => clearInterval(timer))
      })
      const path = target()
      const options = { signal, connectMs: 5000, idleMs: 300 }
      await expect(download(`${address}/a.bin`, path, options)).rejects.toThrow(/silence/)
      expect(readFileSync(path).length).toBeGreaterThanOrEqual(5000)
    }
  })

  it("is patient with a host that is slow but sends", async () => {
    const { address } = await serve((_, response) => {
      let sent = 0
      const timer = setInterval(() => {
        response.write(content.subarray(sent, sent + 20_000))
        sent += 20_000
        if (sent < content.length) return
        clearInterval(timer)
        response.end()
      }, 60)
    })
    const path = target()
    await download(`${address}/a.bin`, path, { signal, connectMs: 5000, idleMs: 1000 })
    expect(readFileSync(path).equals(content)).toBe(true)
  })

  it("stops at Ctrl-C with the reason of the signal, and keeps what came", async () => {
    const { address } = await serve((_, response) => {
      response.writeHead(200, { "content-length": content.length })
      response.write(content.subarray(0, 5000))
    })
    const controller = new AbortController()
    const path = target()
    const onBytes = (done: number): void => {
      if (done > 0) controller.abort()
    }
    await expect(download(`${address}/a.bin`, path, { signal: controller.signal, onBytes })).rejects.toMatchObject({
      name: "AbortError",
    })
    expect(readFileSync(path).length).toBeGreaterThan(0)
  })

  it("by default waits less than 10 s for a silent host in all", () => {
    expect(defaultPatience.connectMs + defaultPatience.idleMs).toBeLessThan(10_000)
  })
})
