import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"

/** File in a run's folder that names the process working in it. */
export const lockFile = "run.lock"

interface Owner {
  readonly pid: number
  readonly host: string
  /** Tells this process from a later one of the same number; null where the system does not say. */
  readonly processStart: string | null
}

/** A process that was killed while it wrote its lock leaves an unreadable one, which counts after this time. */
const unreadableLockMs = 5000

/**
 * Claims a run's folder for this process; the lock of a process that no longer lives is taken over.
 *
 * @returns the function that gives the folder free again.
 * @throws LearnlossError `RUN_LOCKED` when another process works in the folder.
 */
export function lockRun(folder: string, self: Owner = currentProcess()): () => void {
  const path = join(folder, lockFile)
  const content = `${JSON.stringify(self)}\n`
  if (!tryCreate(path, content)) {
    const found = readIfThere(path)
    if (found !== undefined && isHeld(path, found)) throw locked(path, found)
    if (found !== undefined) setAside(path, found, self.pid)
    if (!tryCreate(path, content)) throw locked(path, readIfThere(path) ?? "")
  }
  return () => {
    if (readIfThere(path) === content) rmSync(path, { force: true })
  }
}

/** Who this process is, as its locks name it. */
export function currentProcess(): Owner {
  return { pid: process.pid, host: hostname(), processStart: processStart(process.pid) }
}

function tryCreate(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx" })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
    throw new LearnlossError("FILE_NOT_WRITTEN", {
      where: path,
      expected: "to write this file",
      got: error instanceof Error ? error.message : String(error),
      fix: "Free some space or choose another folder with --out.",
      cause: error,
    })
  }
}

function isHeld(path: string, content: string): boolean {
  const owner = parseOwner(content)
  if (owner === undefined) return Date.now() - statSync(path).mtimeMs < unreadableLockMs
  if (owner.host !== hostname()) return true
  if (!isAlive(owner.pid)) return false
  const start = processStart(owner.pid)
  return start === null || owner.processStart === null || start === owner.processStart
}

/** Two processes may find the same stale lock; renaming makes one of them the first and never removes a fresh lock. */
function setAside(path: string, stale: string, pid: number): void {
  const aside = `${path}.stale-${pid}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readIfThere(aside)
  if (moved !== stale && moved !== undefined) tryCreate(path, moved)
  rmSync(aside, { force: true })
}

function parseOwner(content: string): Owner | undefined {
  try {
    const owner = JSON.parse(content) as Partial<Owner> | null
    if (typeof owner?.pid !== "number" || typeof owner.host !== "string") return undefined
    return { pid: owner.pid, host: owner.host, processStart: owner.processStart ?? null }
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** On Linux the boot and the tick at which a process started, since process numbers come again. */
function processStart(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
    const [state, startTick] = [fields[0], fields[19]]
    // A killed process that nobody has waited for still answers to signals.
    if (state === "Z") return `${boot}/ended`
    return startTick === undefined ? null : `${boot}/${startTick}`
  } catch {
    return null
  }
}

function locked(path: string, content: string): LearnlossError {
  const owner = parseOwner(content)
  const who = owner === undefined ? "one is just starting" : `process ${owner.pid} on ${owner.host}`
  return new LearnlossError("RUN_LOCKED", {
    where: path,
    expected: "no other process to work in this folder",
    got: who,
    fix: "Wait until it ends or choose another folder with --out; if that process is gone, remove this file.",
  })
}
