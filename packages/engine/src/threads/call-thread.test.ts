import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import { LearnlossError } from "../errors.ts"
import { CallThread } from "./call-thread.ts"

type EchoCalls = {
  echo: [unknown, unknown]
  refuse: [string, never]
  die: [number, never]
  forward: [ArrayBuffer, number]
}

const answers = `
import { LearnlossError } from ${JSON.stringify(new URL("../errors.ts", import.meta.url).href)}
import { answerCalls } from ${JSON.stringify(new URL("./answer-calls.ts", import.meta.url).href)}
answerCalls({
  echo: async (value) => value,
  refuse: async (where) => { throw new LearnlossError("REFUSED", { where, expected: "a", got: "b", cause: () => {} }) },
  die: async (code) => process.exit(code),
  forward: async (memory) => memory.byteLength,
})
`

function startThread(source = answers): CallThread<EchoCalls> {
  const folder = mkdtempSync(join(tmpdir(), "learnloss-threads-"))
  const file = join(folder, "worker.ts")
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
  writeFileSync(file, source)
  const thread = new CallThread<EchoCalls>(pathToFileURL(file), "the echo thread")
  onTestFinished(async () => {
    await thread.release()
    rmSync(folder, { recursive: true })
  })
  return thread
}

describe("a call thread", () => {
  test("answers each call with its own result", async () => {
    const thread = startThread()
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    expect(await Promise.all(numbers.map((number) => thread.call("echo", number)))).toEqual(numbers)
  })

  test("throws the typed errors of the thread as such", async () => {
    const error = await startThread()
      .call("refuse", "here")
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LearnlossError)
    expect(error).toMatchObject({ code: "REFUSED", details: { where: "here", expected: "a", got: "b" } })
  })

  test("fails the calls under way when the thread dies, and starts it again for the next", async () => {
    const thread = startThread()
    const [first, second] = await Promise.allSettled([thread.call("die", 3), thread.call("echo", 1)])
    expect(String((first as PromiseRejectedResult).reason)).toMatch(/the echo thread ended with code 3/)
    expect(second.status).toBe("rejected")
    expect(await thread.call("echo", "again")).toBe("again")
  })

  test("fails the calls of a thread that cannot start", async () => {
    await expect(startThread('throw new Error("no such luck")').call("echo", 1)).rejects.toThrow("no such luck")
  })

  test("fails the calls under way when it is released", async () => {
    const thread = startThread()
    const call = thread.call("echo", 1)
    await Promise.all([expect(call).rejects.toThrow("released under a call"), thread.release()])
  })

  test("hands memory over without a copy", async () => {
    const memory = new ArrayBuffer(64)
    expect(await startThread().call("forward", memory, [memory])).toBe(64)
    expect(memory.byteLength).toBe(0)
  })
})
