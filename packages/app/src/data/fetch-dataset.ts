import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { dataFormats, generatedFormats, nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { dataFolder, dataPlaces, locateDataset } from "@learnloss/learn"
import { type CatalogueEntry, catalogue } from "./catalogue.ts"
import type { DataSource, FetchEvent } from "./source.ts"
import { findMissing } from "./verify.ts"

type Recipe = NonNullable<CatalogueEntry["recipe"]>

export interface FetchOptions {
  /** Where the files go; default the data set's own folder in `dataFolder()`. */
  readonly folder?: string
  /** Folders in which whole data sets are looked for before anything is fetched; default `dataPlaces()`. */
  readonly places?: readonly string[]
  readonly onProgress?: (event: FetchEvent) => void
  readonly signal?: AbortSignal
  /** In place of the data set's own sources. */
  readonly sources?: readonly DataSource[]
  /** In place of the data set's own files. */
  readonly files?: Recipe["files"]
}

/** Where a data set stands after fetching. */
export interface FetchedDataset {
  readonly name: string
  readonly folder: string
  /** What it was had from; null when it was there already. */
  readonly source: string | null
}

/** Names that `fetchDataset` knows. */
export function fetchableNames(): string[] {
  return dataFormats.filter((name) => recipeOf(name) !== null)
}

/** The folder of a data set that needs no fetching any more; undefined when it is on no place of this machine. */
export function findDataset(name: string, places: readonly string[] = dataPlaces()): string | undefined {
  const files = recipeOf(name)?.files.map((file) => file.name.replace(/\.gz$/, ""))
  return files === undefined ? undefined : locateDataset(name, files, places)
}

/** True when a data set can be opened by its name alone. */
export function isAvailable(name: string, places?: readonly string[]): boolean {
  return generatedFormats.includes(name) || findDataset(name, places) !== undefined
}

/**
 * Puts a data set on this machine, from the first of its sources that gives it. Whole files that are already there are
 * kept, downloads that were broken off go on, and no file has its final name before it is verified.
 *
 * @throws LearnlossError `NOT_FETCHABLE` for other names, `FETCH_FAILED` with the reason of every source.
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<FetchedDataset> {
  const recipe = recipeOf(name)
  if (recipe === null) throw notFetchable(name)
  const { files = recipe.files, sources = recipe.sources, onProgress = () => {} } = options
  const signal = options.signal ?? new AbortController().signal
  const folder = options.folder ?? join(dataFolder(), name)
  const candidates = [folder, ...(options.places ?? dataPlaces()).map((place) => join(place, name))]
  for (const candidate of new Set(candidates)) {
    if ((await findMissing(candidate, files, signal)).length === 0) return { name, folder: candidate, source: null }
  }

  await makeFolder(folder)
  const reasons: string[] = []
  for (const source of sources) {
    onProgress({ type: "trying", source: source.label })
    try {
      await source.obtain({ folder, files: await findMissing(folder, files, signal), onProgress, signal })
      return { name, folder, source: source.label }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof LearnlossError) || error.code !== "SOURCE_FAILED") throw error
      const reason = `${error.details.where}: ${error.details.got}`
      onProgress({ type: "failed", source: source.label, reason })
      reasons.push(`${source.label}: ${reason}`)
    }
  }
  throw new LearnlossError("FETCH_FAILED", {
    where: `data "${name}"`,
    expected: `its files from ${sources.map((source) => source.label).join(" or ")}`,
    got: `nothing (${reasons.join("; ")})`,
    fix: `Put ${files.map((file) => file.name).join(", ")} into ${folder} yourself, or use "shapes", which needs no files.`,
  })
}

function recipeOf(name: string): Recipe | null {
  const format = dataFormats.find((known) => known === name)
  return format === undefined ? null : catalogue[format].recipe
}

function notFetchable(name: string): LearnlossError {
  const known = fetchableNames()
  const meant = nearest(name, known)
  const entry = dataFormats.find((format) => format === name)
  return new LearnlossError("NOT_FETCHABLE", {
    where: "data fetch",
    expected: `one of ${known.join(", ")}`,
    got: `"${name}"`,
    fix:
      entry !== undefined
        ? `It needs no fetching: ${catalogue[entry].description}.`
        : meant === undefined
          ? "Run `learnloss data list` to see what there is."
          : `Did you mean ${meant}?`,
  })
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new LearnlossError("FILE_NOT_WRITTEN", {
      where: folder,
      expected: "to make this folder",
      got: error instanceof Error ? error.message : String(error),
      fix: "Set LEARNLOSS_DATA to a folder that you can write to.",
      cause: error,
    })
  }
}
