import { EventEmitter } from "node:events"
import { describe, expect, it } from "vitest"
import { listenForInterrupt } from "./interrupt.ts"

class FakeProcess extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

describe("listenForInterrupt", () => {
  it.each(["SIGINT", "SIGTERM"])("aborts at the first %s and ends the process at the second", (name) => {
    const source = new FakeProcess()
    const said: string[] = []
    const { signal } = listenForInterrupt(source, (text) => said.push(text))
    expect(signal.aborted).toBe(false)
    source.emit(name)
    expect([signal.aborted, source.exits, said.length]).toEqual([true, [], 1])
    source.emit(name)
    expect(source.exits).toEqual([130])
  })

  it("leaves the process as it was", () => {
    const source = new FakeProcess()
    listenForInterrupt(source, () => {}).stop()
    expect(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM")).toBe(0)
  })
})
