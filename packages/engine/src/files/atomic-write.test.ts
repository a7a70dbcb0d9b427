import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { LearnlossError } from "../errors.ts"
import { atomicWrite, nodeFileOperations } from "./atomic-write.ts"

function fullDisk(): never {
  throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
}

describe("atomicWrite", () => {
  test("replaces the content and makes missing folders", () => {
    const path = join(mkdtempSync(join(tmpdir(), "learnloss-")), "a", "b.txt")
    atomicWrite(path, "one")
    atomicWrite(path, [Buffer.from("tw"), Buffer.from("o")])
    expect(readFileSync(path, "utf8")).toBe("two")
  })

  test("says what is wrong with a place below a file", () => {
    const file = join(mkdtempSync(join(tmpdir(), "learnloss-")), "file")
    writeFileSync(file, "")
    expect(() => atomicWrite(join(file, "a.txt"), "new")).toThrow(LearnlossError)
  })

  test.each(["open", "write", "sync", "rename"] as const)(
    "a disk that is full at %s leaves the old content and no rest",
    (call) => {
      const folder = mkdtempSync(join(tmpdir(), "learnloss-"))
      const path = join(folder, "file.txt")
      writeFileSync(path, "old")
      expect(() => atomicWrite(path, "new", { ...nodeFileOperations, [call]: fullDisk })).toThrow(LearnlossError)
      expect(() => atomicWrite(path, "new", { ...nodeFileOperations, [call]: fullDisk })).toThrow(
        /file\.txt.*no space left/,
      )
      expect(readFileSync(path, "utf8")).toBe("old")
      expect(readdirSync(folder)).toEqual(["file.txt"])
    },
  )
})
