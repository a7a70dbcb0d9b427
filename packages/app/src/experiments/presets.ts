import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type TaskName, taskNames } from "@learnloss/contract"
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

/** One line a preset, with what it says of itself, under the name of its task. */
export function describePresets(): string {
  const presets = presetNames().map((name) => ({
    name,
    ...(parse(readFileSync(new URL(`${name}.yaml`, presetFolder), "utf8")) as PresetHead),
  }))
  const longest = Math.max(...presets.map(({ name }) => name.length))
  const lines = taskNames.flatMap((task) => [
    `  ${task}`,
    ...presets
      .filter((preset) => (preset.task ?? "classification") === task)
      .map(({ name, description }) => `    ${name.padEnd(longest)}  ${description}`),
  ])
  return lines.join("\n")
}

/** What a preset says of itself. */
interface PresetHead {
  readonly description: string
  readonly task?: TaskName
}
