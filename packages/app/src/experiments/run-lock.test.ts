import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { currentProcess, lockFile, lockRun } from "./run-lock.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-lock-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = () => join(folder, lockFile)
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid

describe("lockRun", () => {
  it("keeps a second process out until the first gives the folder free", () => {
    const unlock = lockRun(folder)
    expect(() => lockRun(folder)).toThrow(expect.objectContaining({ code: "RUN_LOCKED" }))
    expect(() => lockRun(folder)).toThrow(`process ${process.pid}`)
    unlock()
    expect(existsSync(path())).toBe(false)
    lockRun(folder)()
  })

  it.each([
    ["a process that is gone", () => ({ pid: deadPid(), host: hostname(), processStart: null })],
    ["an earlier process of the same number", () => ({ ...currentProcess(), processStart: "boot/1" })],
  ])("takes over the lock of %s", (_, owner) => {
    writeFileSync(path(), JSON.stringify(owner()))
    const unlock = lockRun(folder)
    expect(JSON.parse(readFileSync(path(), "utf8"))).toMatchObject({ pid: process.pid })
    unlock()
    expect(readdirSync(folder)).toEqual([])
  })

  it("takes over a lock that a kill left empty, once it is old", () => {
    writeFileSync(path(), "")
    expect(() => lockRun(folder)).toThrow(expect.objectContaining({ code: "RUN_LOCKED" }))
    utimesSync(path(), new Date(0), new Date(0))
    lockRun(folder)()
  })

  it("cannot judge a process of another machine, so says what to do", () => {
    writeFileSync(path(), JSON.stringify({ pid: deadPid(), host: "elsewhere", processStart: null }))
    expect(() => lockRun(folder)).toThrow(/process \d+ on elsewhere.*remove this file/)
  })

  it("does not remove a lock that is no longer its own", () => {
    const unlock = lockRun(folder)
    writeFileSync(path(), "another")
    unlock()
    expect(existsSync(path())).toBe(true)
  })
})
