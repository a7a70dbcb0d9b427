import { join } from "node:path"
import { write, writeImage } from "../data-files.test-suite.ts"
import { type AnnotationDefect, DefectLog } from "./defects.ts"

/** The text of an `<object>` in a PASCAL VOC file. */
export function vocObject(name: string, box: readonly (number | string)[], more = ""): string {
  const [xmin, ymin, xmax, ymax] = box
  return `<object><name>${name}</name>${more}<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`
}

/** Writes a PASCAL VOC annotation; `size` null leaves `<size>` out. */
export function writeVocXml(
  folder: string,
  stem: string,
  objects: string,
  size: readonly [number, number] | null = [40, 30],
): void {
  const sizeXml =
    size === null ? "" : `<size><width>${size[0]}</width><height>${size[1]}</height><depth>3</depth></size>`
  const xml = `<annotation><filename>${stem}.jpg</filename>${sizeXml}${objects}</annotation>`
  write(join(folder, "Annotations", `${stem}.xml`), xml)
}

/** Writes an image of 40x30 pixels and its annotation. */
export async function writeVocImage(folder: string, stem: string, objects: string): Promise<void> {
  await writeImage(join(folder, "JPEGImages", `${stem}.jpg`), 40, 30)
  writeVocXml(folder, stem, objects)
}

/** Writes a split of a PASCAL VOC folder. */
export function writeVocSplit(folder: string, split: string, ...lines: readonly string[]): void {
  write(join(folder, "ImageSets", "Main", `${split}.txt`), `${lines.join("\n")}\n`)
}

/** A log and what it took down, as `kind: reason`. */
export function testLog(): { readonly log: DefectLog; readonly lines: () => string[] } {
  const log = new DefectLog()
  return { log, lines: () => log.defects.map(({ kind, reason }: AnnotationDefect) => `${kind}: ${reason}`) }
}
