import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { LearnlossError } from "@learnloss/engine"

/** Folder that fetched data sets are kept in: `$LEARNLOSS_DATA`, else `~/.cache/learnloss`. */
export function dataFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.LEARNLOSS_DATA || join(environment.HOME || homedir(), ".cache", "learnloss")
}

/** Folders that may hold a data set under its name, in the order in which they are searched. */
export function dataPlaces(environment: NodeJS.ProcessEnv = process.env): string[] {
  return [dataFolder(environment), "/usr/share/datasets"]
}

/**
 * The folder of a named data set, the first place that has all the given files (each as it is or with `.gz`);
 * undefined when no place has them all.
 */
export function locateDataset(
  name: string,
  files: readonly string[],
  places: readonly string[] = dataPlaces(),
): string | undefined {
  const folders = places.map((place) => join(place, name))
  return folders.find((folder) =>
    files.every((file) => existsSync(join(folder, file)) || existsSync(join(folder, `${file}.gz`))),
  )
}

/**
 * Like `locateDataset`, for readers.
 *
 * @throws LearnlossError `DATA_NOT_FOUND` naming the places searched and the command that fetches the data.
 */
export function requireDataset(
  name: string,
  files: readonly string[],
  places: readonly string[] = dataPlaces(),
): string {
  const folder = locateDataset(name, files, places)
  if (folder !== undefined) return folder
  throw new LearnlossError("DATA_NOT_FOUND", {
    where: `data "${name}"`,
    expected: `its files in ${places.map((place) => join(place, name)).join(" or ")}`,
    got: "no complete set there",
    fix: `Fetch it with \`learnloss data fetch ${name}\` or give its folder as ${name}:DIR.`,
  })
}
