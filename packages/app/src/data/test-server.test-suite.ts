import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { FetchEvent, SourceRequest } from "./source.ts"

/** Makes a folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "learnloss-fetch-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface TestServer {
  readonly address: string
  /** What was asked for, e.g. `/a.bin` or `/a.bin bytes=10-`. */
  readonly requests: string[]
}

/** Starts a server on this machine that ends with the test. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers.range].filter(Boolean).join(" "))
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** Serves files by name as a good server does, with ranges. */
export function serveFiles(files: Readonly<Record<string, Uint8Array>>): Promise<TestServer> {
  return serve((request, response) => {
    const content = files[(request.url ?? "").slice(1)]
    if (content === undefined) return void response.writeHead(404).end("no")
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0)
    if (start === 0) return void response.writeHead(200, { "content-length": content.length }).end(content)
    if (start >= content.length)
      return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end()
    const range = `bytes ${start}-${content.length - 1}/${content.length}`
    response.writeHead(206, { "content-length": content.length - start, "content-range": range })
    response.end(content.subarray(start))
  })
}

/** A request to a source that keeps the events. */
export function requestFiles(
  folder: string,
  files: SourceRequest["files"],
  signal = new AbortController().signal,
): SourceRequest & { readonly events: FetchEvent[] } {
  mkdirSync(folder, { recursive: true })
  const events: FetchEvent[] = []
  return { folder, files, signal, events, onProgress: (event) => events.push(event) }
}
