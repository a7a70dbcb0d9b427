import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { LearnlossError } from "../errors.ts"
import { atomicWrite, type FileOperations, nodeFileOperations } from "../files/atomic-write.ts"
import { measuredOn } from "./measured-on.ts"
import type { SessionOptions } from "./ort.ts"

/** What came out when several ways to do the same were timed. */
export interface Measurement {
  readonly chosen: string
  /**
   * Shortest run of every candidate, without finding memory for one that was given up after its first; null for one that
   * was not timed: it cannot run here, computes something else, or could not have won.
   */
  readonly milliseconds: Readonly<Record<string, number | null>>
}

/** Remembers what was measured, so that the same is never measured twice on one machine. */
export interface Measurements {
  /** What was measured under a name; undefined where nothing was, or among other candidates. */
  find(name: string, candidates: readonly string[]): Measurement | undefined
  keep(name: string, measurement: Measurement): void
  /** Writes down what was kept since the last time, beside what other processes wrote meanwhile. */
  save(): void
}

export interface OpenMeasurementsOptions {
  /** Folder of caches, such as `cacheFolder` gives. */
  readonly folder: string
  /** Other threads and devices have measurements of their own. */
  readonly session: Pick<SessionOptions, "threads" | "device">
  /** Is told when what was measured before is lost, or what is measured now cannot be kept. */
  readonly say?: (line: string) => void
  /** What the measurements hold for; tests name another machine. */
  readonly about?: object
  readonly operations?: FileOperations
}

type Entries = Readonly<Record<string, Measurement>>

/**
 * Opens what was measured on this machine. A cache is never in the way: a broken file counts as none, and where nothing
 * can be written, measuring is done anew each time.
 */
export function openMeasurements(options: OpenMeasurementsOptions): Measurements {
  const { folder, session, say = () => {}, about = measuredOn(session), operations = nodeFileOperations } = options
  const key = createHash("sha256").update(JSON.stringify(about)).digest("hex").slice(0, 16)
  const path = join(folder, "measured", `${key}.json`)
  const known = new Map(Object.entries(read(path, about, say)))
  const unsaved = new Map<string, Measurement>()
  return {
    find(name, candidates) {
      const measurement = known.get(name)
      if (measurement === undefined) return undefined
      const measured = Object.keys(measurement.milliseconds)
      const isSame = measured.length === candidates.length && candidates.every((each) => measured.includes(each))
      return isSame ? measurement : undefined
    },
    keep(name, measurement) {
      known.set(name, measurement)
      unsaved.set(name, measurement)
    },
    save() {
      if (unsaved.size === 0) return
      const entries = { ...read(path, about, () => {}), ...Object.fromEntries(unsaved) }
      unsaved.clear()
      try {
        atomicWrite(path, `${JSON.stringify({ about, entries }, null, 1)}\n`, operations)
      } catch (error) {
        if (!(error instanceof LearnlossError)) throw error
        say(`What was measured is not kept for the next time: ${error.message}`)
      }
    },
  }
}

function read(path: string, about: object, say: (line: string) => void): Entries {
  if (!existsSync(path)) return {}
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as { about: unknown; entries: Record<string, unknown> }
    if (JSON.stringify(file.about) !== JSON.stringify(about)) throw new Error("it is about another machine")
    return Object.fromEntries(Object.entries(file.entries).filter(isEntry))
  } catch (error) {
    say(`${path} is measured anew: ${error instanceof Error ? error.message : String(error)}`)
    return {}
  }
}

function isEntry(entry: [string, unknown]): entry is [string, Measurement] {
  const { chosen, milliseconds } = (entry[1] ?? {}) as Partial<Measurement>
  return (
    typeof chosen === "string" && typeof milliseconds === "object" && milliseconds !== null && chosen in milliseconds
  )
}
