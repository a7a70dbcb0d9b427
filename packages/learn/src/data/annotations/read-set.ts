import type { AnnotatedSet, AnnotationFormat } from "./annotated-set.ts"
import type { SetReader, SetReadOptions } from "./set-reader.ts"
import { readVocSet } from "./voc/read-voc.ts"

const readers: Partial<Record<AnnotationFormat, SetReader>> = { voc: readVocSet }

/** Reads annotated images of any format whole: nothing is left out that can be told apart. */
export async function readAnnotatedSet(
  format: AnnotationFormat,
  path: string,
  options: SetReadOptions,
): Promise<AnnotatedSet> {
  return await (readers[format] as SetReader)(path, options)
}
