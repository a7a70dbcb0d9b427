import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { nodeFileOperations } from "../files/atomic-write.ts"
import { type Measurement, openMeasurements } from "./measurements.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-measurements-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

function open(changes: Partial<Parameters<typeof openMeasurements>[0]> = {}) {
  const said: string[] = []
  const folder = changes.folder ?? join(root, String(folders++))
  const say = (line: string) => said.push(line)
  return { ...openMeasurements({ session: { threads: 2 }, say, ...changes, folder }), folder, said }
}

const measurement = (chosen = "b"): Measurement => ({ chosen, milliseconds: { a: 2, b: 1, c: null } })
const candidates = ["a", "b", "c"]
const fileIn = (folder: string) => join(folder, "measured", readdirSync(join(folder, "measured"))[0] as string)

describe("measurements", () => {
  test("are found again by the next process, on the same machine with the same threads and device", () => {
    const first = open()
    expect(first.find("p", candidates)).toBe(undefined)
    first.keep("p", measurement())
    first.save()
    const { folder } = first
    expect(open({ folder }).find("p", candidates)).toEqual(measurement())
    expect(open({ folder, session: { threads: 1 } }).find("p", candidates)).toBe(undefined)
    expect(open({ folder, session: { threads: 2, device: "webgpu" } }).find("p", candidates)).toBe(undefined)
    expect(open({ folder, about: { processor: "another" } }).find("p", candidates)).toBe(undefined)
    expect(JSON.parse(readFileSync(fileIn(folder), "utf8")).about).toMatchObject({ threads: 2, device: "cpu" })
  })

  test("hold only as long as the candidates are the same", () => {
    const first = open()
    first.keep("p", measurement())
    expect(first.find("p", ["c", "b", "a"])).toEqual(measurement())
    expect(first.find("p", ["a", "b"])).toBe(undefined)
    expect(first.find("p", ["a", "b", "d"])).toBe(undefined)
    expect(first.find("p", [...candidates, "d"])).toBe(undefined)
  })

  test("of processes that write at the same time end up in one file", () => {
    const one = open()
    const other = open({ folder: one.folder })
    one.keep("p", measurement("a"))
    other.keep("q", measurement("b"))
    one.save()
    other.save()
    const later = open({ folder: one.folder })
    expect(later.find("p", candidates)?.chosen).toBe("a")
    expect(later.find("q", candidates)?.chosen).toBe("b")
  })

  test("in a broken or foreign file count as none, which is told, and are measured anew", () => {
    const first = open()
    first.keep("p", measurement())
    first.save()
    const path = fileIn(first.folder)
    const whole = readFileSync(path, "utf8")
    for (const content of [whole.slice(0, 40), "", "null", whole.replace('"threads": 2', '"threads": 3')]) {
      writeFileSync(path, content)
      const second = open({ folder: first.folder })
      expect(second.find("p", candidates)).toBe(undefined)
      expect(second.said).toEqual([expect.stringContaining(`${path} is measured anew`)])
      second.keep("p", measurement("a"))
      second.save()
      expect(open({ folder: first.folder }).find("p", candidates)?.chosen).toBe("a")
    }
    const entries = { p: { chosen: "z", milliseconds: { a: 1 } }, q: null, r: measurement() }
    writeFileSync(path, JSON.stringify({ ...JSON.parse(whole), entries }))
    const third = open({ folder: first.folder })
    expect(third.find("p", ["a"])).toBe(undefined)
    expect(third.find("r", candidates)).toEqual(measurement())
  })

  test("that cannot be written are used all the same, and this is told", () => {
    const failing = () => {
      throw new Error("no space left")
    }
    const first = open({ operations: { ...nodeFileOperations, write: failing } })
    first.keep("p", measurement())
    first.save()
    first.save()
    expect(first.find("p", candidates)).toEqual(measurement())
    expect(first.said).toEqual([expect.stringMatching(/not kept for the next time.*no space left/)])
    expect(readdirSync(join(first.folder, "measured"))).toEqual([])
  })
})
