import type { DetectionTarget } from "../boxes.ts"
import type { DetectionDataset, PictureSet } from "../dataset.ts"
import type { ReadOptions } from "../reader.ts"
import { requireUniqueIds } from "../sample-set.ts"
import type { AnnotatedImage, AnnotatedObject, AnnotationFormat } from "./annotated-set.ts"
import { usableObjects } from "./check-objects.ts"
import { type OpenedAnnotations, openAnnotations } from "./open-annotations.ts"
import { photoNormalization, pictureSet } from "./picture-set.ts"

/**
 * Reads annotated images to train a detector on. Ids are paths relative to the folder. Every defect is told to
 * `onDefect`; with `defects: "skip"` training goes on without what is defective, with `"stop"` it does not begin.
 *
 * @param text what stands after the colon, e.g. `DIR?train=trainval&test=test`
 * @throws LearnlossError for a folder without annotations, unknown splits or options, or `DEFECTIVE_DATA`
 */
export async function readDetectionDataset(
  format: AnnotationFormat,
  text: string | undefined,
  options: ReadOptions,
): Promise<DetectionDataset> {
  return detectionDatasetOf(await openAnnotations(format, text, options), options)
}

/**
 * The boxes of annotations that were opened.
 *
 * @throws LearnlossError `DEFECTIVE_DATA`
 */
export function detectionDatasetOf(
  { name: dataName, where, set, classNames, log, chosen }: OpenedAnnotations,
  options: Pick<ReadOptions, "defects" | "imageSize">,
): DetectionDataset {
  const indices = new Map(classNames.map((name, index) => [name, index]))
  const images = new Map(set.images.map((image) => [image.id, image]))
  const split = (ids: readonly string[]): PictureSet<DetectionTarget> =>
    pictureSet(
      ids.map((id) => {
        const image = images.get(id) as AnnotatedImage
        return {
          id,
          target: targetOf(image, usableObjects(image, classNames, log), indices),
          path: image.path as string,
        }
      }),
    )
  const [train, test] = [split(chosen.train), split(chosen.test)]
  requireUniqueIds(where, train, test)
  if (options.defects === "stop") log.requireNone(where)
  return {
    name: dataName,
    imageShape: { channels: 3, height: options.imageSize, width: options.imageSize },
    classNames,
    normalization: photoNormalization,
    train,
    test,
  }
}

function targetOf(
  { width, height }: AnnotatedImage,
  objects: readonly AnnotatedObject[],
  indices: ReadonlyMap<string, number>,
): DetectionTarget {
  return {
    width,
    height,
    boxes: objects.map(({ className, box, isDifficult, isCrowd }) => ({
      classIndex: indices.get(className) as number,
      box,
      isDifficult: isDifficult === true,
      ...(isCrowd === true && { isCrowd }),
    })),
  }
}
