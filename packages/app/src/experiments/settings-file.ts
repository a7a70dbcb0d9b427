import { existsSync, readFileSync } from "node:fs"
import { basename, extname } from "node:path"
import { nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import { type Document, isNode, LineCounter, parseDocument } from "yaml"
import { findPreset, presetNames } from "./presets.ts"

/** A key's way through settings, e.g. `["budget", "perCycle"]`. */
export type KeyPath = readonly PropertyKey[]

/** Settings as a person wrote them, not checked yet. */
export interface SettingsFile {
  /** How errors name it: the file's path, or `preset demo`. */
  readonly label: string
  /** The preset's or the file's name without folder and extension. */
  readonly name: string
  readonly values: Record<string, unknown>
  /** Line of a key or value in the file, or undefined when it stands nowhere in it. */
  readonly lineOf: (path: KeyPath) => number | undefined
}

/**
 * Reads a preset or a YAML 1.2 file (JSON is YAML); a preset wins over a file of the same name without an extension.
 *
 * @throws LearnlossError `PRESET_UNKNOWN`, `CONFIG_UNREADABLE` or `CONFIG_NOT_YAML`.
 */
export function readSettings(presetOrFile: string): SettingsFile {
  const preset = findPreset(presetOrFile)
  const file = preset ?? presetOrFile
  const label = preset === undefined ? presetOrFile : `preset ${presetOrFile}`
  if (!existsSync(file) && extname(file) === "" && basename(file) === file) throw unknownPreset(presetOrFile)

  const lines = new LineCounter()
  const document = parseDocument(readText(file), { version: "1.2", lineCounter: lines, prettyErrors: true })
  const firstError = document.errors[0]
  const values: unknown = firstError === undefined ? document.toJS() : undefined
  if (firstError !== undefined || typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new LearnlossError("CONFIG_NOT_YAML", {
      where: label,
      expected: "a YAML file of settings (key: value)",
      got: firstError?.message.trim() ?? (values === null ? "an empty file" : `a ${kindOf(values)}`),
      fix: "See `learnloss run --help` for presets to start from.",
    })
  }
  return {
    label,
    name: basename(file, extname(file)),
    values: values as Record<string, unknown>,
    lineOf: (path) => lineOf(document, lines, path),
  }
}

function unknownPreset(name: string): LearnlossError {
  const known = presetNames()
  const meant = nearest(name, known)
  return new LearnlossError("PRESET_UNKNOWN", {
    where: `"${name}"`,
    expected: `one of the presets ${known.join(", ")} or a YAML file`,
    got: "neither",
    ...(meant === undefined ? {} : { fix: `Did you mean ${meant}?` }),
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    throw new LearnlossError("CONFIG_UNREADABLE", {
      where: file,
      expected: "a readable YAML file of settings",
      got: error instanceof Error ? error.message : String(error),
      fix: `Check the path, or take a preset: ${presetNames().join(", ")}.`,
      cause: error,
    })
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : typeof value
}

/** Looks at the place itself, then at what encloses it, since a missing key stands nowhere. */
function lineOf(document: Document, lines: LineCounter, path: KeyPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return undefined
}
