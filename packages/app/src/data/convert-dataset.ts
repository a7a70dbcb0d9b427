import { type DataFormat, nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import {
  type AnnotatedSet,
  type AnnotationDefect,
  type AnnotationFormat,
  annotationFormats,
  type DefectKind,
  DefectLog,
  type ImageTransfer,
  type Loss,
  parseDataSpec,
  parseSetSpec,
  readAnnotatedSet,
  writeAnnotatedSet,
  writtenFormats,
} from "@learnloss/learn"

/** What a conversion came to; images and boxes are counted as they were written. */
export interface Conversion {
  readonly from: string
  readonly to: string
  readonly images: number
  readonly boxes: number
  readonly classes: readonly string[]
  /** What the new format has no place for. */
  readonly losses: readonly Loss[]
  /** What was wrong with what was read; most of it is written all the same, since whoever reads it decides. */
  readonly defects: readonly { readonly kind: DefectKind; readonly file: string; readonly reason: string }[]
}

export interface ConvertOptions {
  readonly images: ImageTransfer
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Writes annotated images in another format (or the same) to a new folder.
 *
 * @param from e.g. `voc:DIR?origin=one`
 * @param to e.g. `coco:NEW-DIR`
 * @throws LearnlossError when either cannot be; nothing is left behind then
 */
export async function convertDataset(from: string, to: string, options: ConvertOptions): Promise<Conversion> {
  const [source, target] = [parseSide(from, annotationFormats), parseSide(to, writtenFormats)]
  const { signal, onProgress, images } = options
  const log = new DefectLog()
  const set = await readAnnotatedSet(source.format, source.path, { log, origin: source.origin, signal, onProgress })
  const { format, path: folder, origin } = target
  const { losses, ...written } = await writeAnnotatedSet(set, { format, folder, origin, images, signal, onProgress })
  return {
    from,
    to,
    ...written,
    classes: set.classNames,
    losses: [...losses, ...unreadLosses(set, format, log)],
    defects: log.defects.map(({ kind, file, finding }) => ({ kind, file, reason: finding })),
  }
}

/**
 * What could not be read, so that there was nothing to write. PASCAL VOC carries such elements on, and writes images whose
 * annotation cannot be read, which the other formats count themselves as they leave them out.
 */
function unreadLosses(set: AnnotatedSet, format: AnnotationFormat, log: DefectLog): Loss[] {
  const isVoc = set.format === "voc" && format === "voc"
  const count = (of: (defect: AnnotationDefect) => boolean): number => log.defects.filter(of).length
  const objects = isVoc ? 0 : count(({ cost }) => cost === "box")
  const annotations = isVoc ? count(({ kind }) => kind === "unreadable-annotation") : 0
  const ids = new Set(set.images.map(({ id }) => id))
  const others = [...log.spoiled].filter((id) => !ids.has(id)).length
  return [
    { what: "objects: left out, for they could not be read or belong to no image", count: objects },
    { what: "annotations: left out, for they could not be read", count: annotations },
    { what: "entries: left out, for they belong to no image that is known", count: others },
    {
      what: "files: passed over with their joints, beside those of boxes (give coco:FILE.json to convert one)",
      count: count(({ kind }) => kind === "unused-file"),
    },
  ].filter((loss) => loss.count > 0)
}

interface Side<Format> {
  readonly format: Format
  readonly path: string
  readonly origin: "as-is" | "one" | undefined
}

function parseSide<Format extends AnnotationFormat>(spec: string, formats: readonly Format[]): Side<Format> {
  const { format, path } = parseDataSpec(spec)
  const known = formats.find((candidate) => candidate === format)
  if (known === undefined) throw notConvertible(spec, format, formats)
  const parsed = parseSetSpec(known, path)
  const unused = (["train", "test", "classes"] as const).find((name) => parsed[name] !== undefined)
  if (unused === undefined) return { format: known, path: parsed.path, origin: parsed.origin }
  throw new LearnlossError("BAD_OPTION", {
    where: `data "${spec}"`,
    expected: "no option but origin, for everything is converted",
    got: `"${unused}"`,
    fix: "Leave it out.",
  })
}

function notConvertible(spec: string, format: DataFormat, formats: readonly AnnotationFormat[]): LearnlossError {
  return new LearnlossError("NOT_CONVERTIBLE", {
    where: `data "${spec}"`,
    expected: `one of ${formats.map((known) => `${known}:DIR`).join(", ")}`,
    got: `"${format}"`,
    fix: annotationFormats.some((known) => known === format)
      ? `${format} can be read, not written.`
      : `Did you mean ${nearest(format, formats) ?? "voc"}:DIR?`,
  })
}
