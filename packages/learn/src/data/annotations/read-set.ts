import type { AnnotatedSet, AnnotationFormat } from "./annotated-set.ts"
import { readCocoSet } from "./coco/read-coco.ts"
import { readMpiiSet } from "./mpii/read-mpii.ts"
import type { SetReader, SetReadOptions } from "./set-reader.ts"
import { readVocSet } from "./voc/read-voc.ts"
import { readYoloSet } from "./yolo/read-yolo.ts"

const readers = {
  voc: readVocSet,
  coco: readCocoSet,
  yolo: readYoloSet,
  mpii: readMpiiSet,
} as const satisfies Record<AnnotationFormat, SetReader>

/** Reads annotated images of any format whole: nothing is left out that can be told apart. */
export async function readAnnotatedSet(
  format: AnnotationFormat,
  path: string,
  options: SetReadOptions,
): Promise<AnnotatedSet> {
  return await readers[format](path, options)
}
