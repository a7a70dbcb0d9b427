import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"

/** The same folder from src, from dist and from an installed package. */
const presetFolder = new URL("../../presets/", import.meta.url)

/** Names of the settings that come with learnloss, alphabetically. */
export function presetNames(): string[] {
  return readdirSync(presetFolder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort()
}

/** File of a preset, or undefined when there is none of this name. */
export function findPreset(name: string): string | undefined {
  if (!/^[\w-]+$/.test(name)) return undefined
  const file = fileURLToPath(new URL(`${name}.yaml`, presetFolder))
  return existsSync(file) ? file : undefined
}

/** One line a preset, with what it says of itself. */
export function describePresets(): string {
  const lines = presetNames().map((name) => {
    const { description } = parse(readFileSync(new URL(`${name}.yaml`, presetFolder), "utf8")) as {
      description: string
    }
    return `  ${name.padEnd(18)}  ${description}`
  })
  return lines.join("\n")
}
