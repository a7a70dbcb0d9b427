import { accessSync, constants, existsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { LearnlossError } from "@learnloss/engine"

/**
 * Makes sure that a file can be written, as far as can be told without writing it.
 *
 * @param option names the file in errors
 * @throws LearnlossError `FILE_NOT_WRITTEN` for a folder, and below anything that is no folder or may not be written
 */
export function requireWritable(option: string, path: string): void {
  if (existsSync(path) && !statSync(path).isFile()) {
    throw notWritten(
      option,
      path,
      "a file, or nothing there yet",
      statSync(path).isDirectory() ? "a folder" : "no file",
    )
  }
  let folder = dirname(resolve(path))
  // Folders that are missing are made.
  while (!existsSync(folder)) folder = dirname(folder)
  if (!statSync(folder).isDirectory()) throw notWritten(option, path, `${folder} to be a folder`, "a file")
  try {
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw notWritten(option, path, `to write into ${folder}`, error instanceof Error ? error.message : String(error))
  }
}

function notWritten(option: string, path: string, expected: string, got: string): LearnlossError {
  const where = `${option} ${path}`
  return new LearnlossError("FILE_NOT_WRITTEN", { where, expected, got, fix: `Choose another ${option}.` })
}
