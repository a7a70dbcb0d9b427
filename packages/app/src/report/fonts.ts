import { createRequire } from "node:module"
import { dirname, join } from "node:path"

/** Family of all text in pictures; in a browser without it the next ones have letters of nearly the same width. */
export const fontFamily = "DejaVu Sans"
export const fontStack = `"${fontFamily}", Verdana, Geneva, sans-serif`

/**
 * Font files for PNGs, found through Node's own resolution so that it works from any install.
 * The renderer gets no system fonts: a missing font would make every word vanish without an error.
 */
export function fontFiles(): string[] {
  const fontPackage = dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json"))
  return ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => join(fontPackage, "ttf", file))
}
