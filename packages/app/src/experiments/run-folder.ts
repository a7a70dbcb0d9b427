import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { RunConfig } from "@learnloss/contract"
import { atomicWrite, LearnlossError } from "@learnloss/engine"
import { parseRunConfig } from "./load-config.ts"
import { runFiles } from "./run-files.ts"
import { lockRun } from "./run-lock.ts"

/** Where a run goes unless it is told: `learnloss-runs/<name>-<time>`. */
export function defaultRunFolder(name: string, time: Date): string {
  const safeName = name.replaceAll(/[^\w.-]+/g, "-")
  const [day = "", clock = ""] = time.toISOString().split("T")
  return join("learnloss-runs", `${safeName}-${day.replaceAll("-", "")}-${clock.slice(0, 8).replaceAll(":", "")}`)
}

/**
 * Checks that a new run may have a folder, which need not exist.
 *
 * @throws LearnlossError `RUN_FOLDER_TAKEN` when it holds another run, `RUN_FOLDER_UNUSABLE` when it is no folder.
 */
export function requireFreeFolder(folder: string): void {
  if (!existsSync(folder)) return
  if (!statSync(folder).isDirectory()) {
    throw new LearnlossError("RUN_FOLDER_UNUSABLE", {
      where: folder,
      expected: "a folder, or nothing there yet",
      got: "a file",
      fix: "Choose another folder with --out.",
    })
  }
  const present = readdirSync(folder)
  const taken = Object.values(runFiles).find((name) => present.includes(name))
  if (taken === undefined) return
  throw new LearnlossError("RUN_FOLDER_TAKEN", {
    where: folder,
    expected: "a folder without a run",
    got: `one that holds ${taken}`,
    fix: isResumable(folder)
      ? `Go on with that run by \`learnloss resume ${folder}\`, or choose another folder with --out.`
      : "Choose another folder with --out.",
  })
}

/**
 * Makes the folder of a new run, claims it and writes its settings; when one of these fails nothing is left behind.
 *
 * @returns the function that gives the folder free again.
 */
export function createRunFolder(folder: string, config: RunConfig): () => void {
  const isNew = !existsSync(folder)
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new LearnlossError("FILE_NOT_WRITTEN", {
      where: folder,
      expected: "to make this folder",
      got: error instanceof Error ? error.message : String(error),
      fix: "Choose another folder with --out.",
      cause: error,
    })
  }
  const unlock = lockRun(folder)
  try {
    // Another process may have been faster since the folder was first looked at.
    requireFreeFolder(folder)
    atomicWrite(join(folder, runFiles.config), `${JSON.stringify(config, null, 2)}\n`)
  } catch (error) {
    unlock()
    if (isNew && readdirSync(folder).length === 0) rmdirSync(folder)
    throw error
  }
  return unlock
}

/** True when a folder holds a run that can be resumed. */
export function isResumable(folder: string): boolean {
  return existsSync(join(folder, runFiles.config))
}

/**
 * Reads the settings that a run was started with.
 *
 * @throws LearnlossError `RUN_NOT_FOUND` when the folder holds no run, `RUN_FILE_INVALID` or `CONFIG_INVALID` when its
 * settings cannot be read.
 */
export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, runFiles.config)
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    throw new LearnlossError("RUN_NOT_FOUND", {
      where: path,
      expected: "the settings of a run",
      got: error instanceof Error ? error.message : String(error),
      fix: "Name the folder that `learnloss run` printed, the one that holds config.json.",
      cause: error,
    })
  }
  let input: unknown
  try {
    input = JSON.parse(text)
  } catch (error) {
    throw new LearnlossError("RUN_FILE_INVALID", {
      where: path,
      expected: "JSON",
      got: error instanceof Error ? error.message : String(error),
      fix: "Restore the file from a copy, or start the run anew in another folder.",
      cause: error,
    })
  }
  return parseRunConfig(input, path)
}
