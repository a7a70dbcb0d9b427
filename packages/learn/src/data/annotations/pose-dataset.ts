import { LearnlossError } from "@learnloss/engine"
import type { PictureSet, PoseDataset } from "../dataset.ts"
import type { PersonTarget, Skeleton } from "../people.ts"
import type { ReadOptions } from "../reader.ts"
import { requireUniqueIds } from "../sample-set.ts"
import type { AnnotatedImage, AnnotatedSet, AnnotationFormat } from "./annotated-set.ts"
import { usablePeople } from "./check-people.ts"
import { haveSameJoints, unpairedJoints } from "./joints.ts"
import { type OpenedAnnotations, openAnnotations } from "./open-annotations.ts"
import { photoNormalization, pictureSet } from "./picture-set.ts"

/**
 * Reads annotated images to train a network for poses on; a sample is a person. Ids are those of the images with that of
 * the person after `#`. Every defect is told to `onDefect`; with `defects: "skip"` training goes on without what is
 * defective, with `"stop"` it does not begin.
 *
 * @param text what stands after the colon, e.g. `DIR?train=train&test=val`
 * @throws LearnlossError for a folder without annotations, `NO_JOINTS`, `SKELETON_CONFLICT`, `UNPAIRED_JOINTS`, unknown
 *   splits or options, or `DEFECTIVE_DATA`
 */
export async function readPoseDataset(
  format: AnnotationFormat,
  text: string | undefined,
  options: ReadOptions,
): Promise<PoseDataset> {
  return poseDatasetOf(await openAnnotations(format, text, { ...options, wantsJoints: true }), options)
}

/**
 * The people of annotations that were opened.
 *
 * @throws LearnlossError `NO_JOINTS`, `SKELETON_CONFLICT`, `UNPAIRED_JOINTS` or `DEFECTIVE_DATA`
 */
export function poseDatasetOf(
  { name, where, set, classNames, log, chosen }: OpenedAnnotations,
  options: Pick<ReadOptions, "defects" | "imageSize">,
): PoseDataset {
  const people = peopleOf(where, set, classNames)
  requirePaired(where, people.skeleton)
  const images = new Map(set.images.map((image) => [image.id, image]))
  const split = (ids: readonly string[]): PictureSet<PersonTarget> =>
    pictureSet(
      ids.flatMap((imageId) => {
        const image = images.get(imageId) as AnnotatedImage
        return usablePeople(image, people, log).map(({ id, target }) => ({ id, target, path: image.path as string }))
      }),
    )
  const [train, test] = [split(chosen.train), split(chosen.test)]
  requireUniqueIds(where, train, test)
  if (options.defects === "stop") log.requireNone(where)
  return {
    name,
    imageShape: { channels: 3, height: options.imageSize, width: options.imageSize },
    classNames: people.skeleton.names,
    skeleton: people.skeleton,
    normalization: photoNormalization,
    train,
    test,
  }
}

/** Whether annotations are taken for those of people where nobody says what to read: objects have joints, and the same. */
export function arePeople({ set, classNames }: Pick<OpenedAnnotations, "set" | "classNames">): boolean {
  const skeletons = classNames.flatMap((name) => set.skeletons.get(name) ?? [])
  const [first] = skeletons
  return first !== undefined && skeletons.every((skeleton) => haveSameJoints(skeleton, first))
}

/** Classes whose objects have joints, and what these are. */
export interface PeopleClasses {
  readonly classNames: readonly string[]
  readonly skeleton: Skeleton
}

/**
 * The classes among those given whose objects have joints, which have to be the same.
 *
 * @throws LearnlossError `NO_JOINTS` or `SKELETON_CONFLICT`
 */
export function peopleOf(
  where: string,
  { skeletons, images }: Pick<AnnotatedSet, "skeletons" | "images">,
  classNames: readonly string[],
): PeopleClasses {
  const withJoints = classNames.flatMap((name) => {
    const skeleton = skeletons.get(name)
    return skeleton === undefined ? [] : { name, skeleton }
  })
  const [first] = withJoints
  if (first === undefined) {
    const nameless = images
      .flatMap(({ objects }) => objects)
      .find(({ className, joints }) => joints !== undefined && classNames.includes(className))?.className
    const hint = `Annotations have keypoints, the category "${nameless}" names none: add \`keypoints\` to it`
    throw new LearnlossError("NO_JOINTS", {
      where,
      expected: "a class whose objects have joints (COCO: keypoints of a category; YOLO: kpt_shape)",
      got: `${classNames.length === 1 ? "the class" : "the classes"} ${classNames.join(", ")} without any`,
      fix: `${nameless === undefined ? "Name other data" : hint}, or set task to detection to learn their boxes.`,
    })
  }
  const other = withJoints.find(({ skeleton }) => !haveSameJoints(skeleton, first.skeleton))
  if (other === undefined) return { classNames: withJoints.map(({ name }) => name), skeleton: first.skeleton }
  throw new LearnlossError("SKELETON_CONFLICT", {
    where,
    expected: `classes of the same joints as "${first.name}": ${first.skeleton.names.join(", ")}`,
    got: `"${other.name}" with ${other.skeleton.names.join(", ")}`,
    fix: `Take one of them, e.g. by ?classes=${first.name}.`,
  })
}

function requirePaired(where: string, skeleton: Skeleton): void {
  const unpaired = unpairedJoints(skeleton)
  if (unpaired.length === 0) return
  throw new LearnlossError("UNPAIRED_JOINTS", {
    where,
    expected: "for each joint of the left side one of the right side, which change places in a mirrored picture",
    got: `left/right names unpaired: ${unpaired.join(", ")}`,
    fix: "Name both alike but for the side, as left_knee and right_knee; in YOLO's data.yaml, set flip_idx.",
  })
}
