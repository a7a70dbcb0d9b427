import { readFile } from "node:fs/promises"
import { LearnlossError } from "@learnloss/engine"

/**
 * What a JSON file holds.
 *
 * @param fix what to do where it is none
 * @throws LearnlossError `BAD_JSON`
 */
export async function readJson(path: string, fix: string): Promise<unknown> {
  try {
    return JSON.parse((await readFile(path, "utf8")).replace(/^\uFEFF/, ""))
  } catch (error) {
    throw badJson(path, "JSON", error instanceof Error ? error.message : String(error), fix)
  }
}

/** For JSON that is not what its reader needs. */
export function badJson(where: string, expected: string, got: string, fix: string): LearnlossError {
  return new LearnlossError("BAD_JSON", { where, expected, got, fix })
}
