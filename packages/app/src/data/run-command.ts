import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { sourceFailed } from "./source.ts"

export interface CommandOptions {
  readonly signal: AbortSignal
  readonly cwd?: string
  /** A figure that changes as long as the command gets on, and for how long it may stand still. */
  readonly progress?: { readonly measure: () => Promise<number>; readonly patienceMs: number }
}

/** Runs a program of the system to its end. */
export type RunCommand = (program: string, args: readonly string[], options: CommandOptions) => Promise<void>

/** How long a program that is told to end may take before it is killed. */
const graceMs = 2000

/**
 * Runs a program with messages in English, and does not return before it has ended.
 *
 * @throws LearnlossError `SOURCE_FAILED` when it is not installed, fails or no longer gets on.
 */
export const runCommand: RunCommand = async (program, args, { signal, cwd, progress }) => {
  signal.throwIfAborted()
  const env = { ...process.env, LC_ALL: "C" }
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] })
  let complaint = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  let killTimer: NodeJS.Timeout | undefined
  const end = (): void => {
    child.kill("SIGTERM")
    killTimer ??= setTimeout(() => child.kill("SIGKILL"), graceMs)
  }
  let isStalled = false
  const stopWatching = watch(child.pid, progress, () => {
    isStalled = true
    end()
  })
  signal.addEventListener("abort", end)
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
    signal.throwIfAborted()
    if (isStalled) throw sourceFailed(program, "the command to get on", `nothing for ${seconds(progress?.patienceMs)}`)
    if (code !== 0) throw sourceFailed(program, "the command to succeed", lastLine(complaint) ?? `exit code ${code}`)
  } catch (error) {
    if (isMissing(error))
      throw sourceFailed(program, `the command ${program}`, "no such command on this machine", error)
    throw error
  } finally {
    signal.removeEventListener("abort", end)
    clearTimeout(killTimer)
    stopWatching()
  }
}

/** Calls `onStalled` when neither the figure nor the program's computing time have moved for too long. */
function watch(pid: number | undefined, progress: CommandOptions["progress"], onStalled: () => void): () => void {
  if (progress === undefined || pid === undefined) return () => {}
  let last = ""
  let movedAt = performance.now()
  const timer = setInterval(async () => {
    const now = `${await progress.measure()} ${await computingTime(pid)}`
    if (now !== last) movedAt = performance.now()
    last = now
    if (performance.now() - movedAt > progress.patienceMs) onStalled()
  }, 500)
  return () => clearInterval(timer)
}

/** Tenths of a second that a process has computed for; 0 where the system does not tell. Waiting costs next to none. */
async function computingTime(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  // The name in brackets may hold spaces; user and system time in hundredths follow as the 12th and 13th field behind it.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ")
  return Math.floor((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 10)
}

function seconds(milliseconds: number | undefined): string {
  return `${(milliseconds ?? 0) / 1000} s`
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT"
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1) || undefined
}
