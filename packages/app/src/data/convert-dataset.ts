import { type DataFormat, nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import {
  type AnnotationDefect,
  type AnnotationFormat,
  annotationFormats,
  DefectLog,
  type ImageTransfer,
  type Loss,
  parseDataSpec,
  parseSetSpec,
  readAnnotatedSet,
  writeAnnotatedSet,
} from "@learnloss/learn"

/** What a conversion came to. */
export interface Conversion {
  readonly from: string
  readonly to: string
  readonly images: number
  readonly boxes: number
  readonly classes: readonly string[]
  /** What the new format has no place for. */
  readonly losses: readonly Loss[]
  /** What was wrong with what was read. */
  readonly defects: readonly AnnotationDefect[]
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
  const [source, target] = [parseSide(from), parseSide(to)]
  const { signal, onProgress, images } = options
  const log = new DefectLog()
  const set = await readAnnotatedSet(source.format, source.path, { log, origin: source.origin, signal, onProgress })
  const { format, path: folder, origin } = target
  const losses = await writeAnnotatedSet(set, { format, folder, origin, images, signal, onProgress })
  return {
    from,
    to,
    images: set.images.length,
    boxes: set.images.reduce((sum, { objects }) => sum + objects.length, 0),
    classes: set.classNames,
    losses,
    defects: log.defects,
  }
}

function parseSide(spec: string): { format: AnnotationFormat; path: string; origin: "as-is" | "one" | undefined } {
  const { format, path } = parseDataSpec(spec)
  const known = annotationFormats.find((candidate) => candidate === format)
  if (known === undefined) throw notConvertible(spec, format)
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

function notConvertible(spec: string, format: DataFormat): LearnlossError {
  return new LearnlossError("NOT_CONVERTIBLE", {
    where: `data "${spec}"`,
    expected: `one of ${annotationFormats.map((known) => `${known}:DIR`).join(", ")}`,
    got: `"${format}"`,
    fix: `Did you mean ${nearest(format, annotationFormats) ?? "voc"}:DIR?`,
  })
}
