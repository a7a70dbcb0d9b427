import { deviceNames } from "@learnloss/contract"
import { InvalidArgumentError, Option } from "commander"

/** `--device`; what it lacks of a network runs on the processor. */
export function deviceOption(text = "what networks run on (default: cpu)"): Option {
  return new Option("--device <NAME>", text).choices(deviceNames)
}

/** Parsers of option values, for commander; each refuses with what it has to be. */

export function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1) return count
  throw new InvalidArgumentError("It has to be a whole number of at least 1.")
}

export function parseSeed(text: string): number {
  const seed = Number(text)
  if (Number.isInteger(seed) && seed >= 0) return seed
  throw new InvalidArgumentError("It has to be a whole number of at least 0.")
}

/** Side of images in pixels. */
export function parseSide(text: string): number {
  const side = Number(text)
  if (Number.isInteger(side) && side >= 8 && side <= 1024) return side
  throw new InvalidArgumentError("It has to be a whole number in 8..1024.")
}

export function parseNumber(text: string): number {
  const number = Number(text)
  if (text.trim() !== "" && Number.isFinite(number)) return number
  throw new InvalidArgumentError("It has to be a number.")
}

export function parseNumbers(text: string): number[] {
  return text.split(",").map(parseNumber)
}

/** Names separated by commas; given several times, the lists are joined. */
export function collectNames(text: string, earlier: readonly string[] = []): string[] {
  const names = text.split(",").map((name) => name.trim())
  return [...earlier, ...names.filter((name) => name !== "")]
}
