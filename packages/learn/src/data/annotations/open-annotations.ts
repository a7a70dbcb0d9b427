import { LearnlossError, type Rng } from "@learnloss/engine"
import type { AnnotatedSet, AnnotationFormat } from "./annotated-set.ts"
import { type ChosenSplits, chooseSplits } from "./choose-splits.ts"
import { type AnnotationDefect, DefectLog } from "./defects.ts"
import { readAnnotatedSet } from "./read-set.ts"
import type { SetReadOptions } from "./set-reader.ts"
import { parseSetSpec } from "./set-spec.ts"

export interface OpenAnnotationsOptions
  extends Pick<SetReadOptions, "decodes" | "onProgress" | "signal" | "wantsJoints"> {
  /** Draws test images where no split is for testing. */
  readonly rng: Rng
  readonly onDefect?: ((defect: AnnotationDefect) => void) | undefined
}

/** Annotated images with what was found out about them. */
export interface OpenedAnnotations {
  /** As given, e.g. `voc:DIR`. */
  readonly name: string
  /** For errors, e.g. `data "voc:DIR"`. */
  readonly where: string
  readonly set: AnnotatedSet
  /** Those that were asked for, else all of the set. */
  readonly classNames: readonly string[]
  readonly chosen: ChosenSplits
  readonly log: DefectLog
  /** Whether an image can be used: it is there and nothing spoils it. */
  isUsable(id: string): boolean
}

/**
 * Reads annotated images as a data specification names them, and chooses what to train and test on.
 *
 * @param text what stands after the colon
 * @throws LearnlossError
 */
export async function openAnnotations(
  format: AnnotationFormat,
  text: string | undefined,
  options: OpenAnnotationsOptions,
): Promise<OpenedAnnotations> {
  const spec = parseSetSpec(format, text)
  const name = `${format}:${text}`
  const where = `data "${name}"`
  const { onDefect, rng, ...others } = options
  const log = new DefectLog(onDefect)
  const set = await readAnnotatedSet(format, spec.path, { ...others, log, origin: spec.origin })
  const classNames = spec.classes ?? set.classNames
  requireClasses(where, set, classNames)
  const present = new Set(set.images.filter(({ path }) => path !== null).map(({ id }) => id))
  const isUsable = (id: string): boolean => present.has(id) && !log.spoiled.has(id)
  const chosen = chooseSplits(where, set, spec, isUsable, rng)
  return { name, where, set, classNames, chosen, log, isUsable }
}

function requireClasses(where: string, set: AnnotatedSet, classNames: readonly string[]): void {
  const unknown = classNames.find((name) => !set.classNames.includes(name))
  if (classNames.length > 0 && unknown === undefined && new Set(classNames).size === classNames.length) return
  throw new LearnlossError(classNames.length === 0 ? "NO_OBJECTS" : "UNKNOWN_CLASS", {
    where,
    expected: classNames.length === 0 ? "at least one object" : `each once of the classes ${set.classNames.join(", ")}`,
    got: classNames.length === 0 ? "none" : (unknown ?? "one twice"),
    fix: classNames.length === 0 ? "Annotate some images first." : "Correct classes=, or leave it out to take all.",
  })
}
