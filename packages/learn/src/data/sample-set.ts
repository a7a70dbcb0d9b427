import { LearnlossError } from "@learnloss/engine"
import type { PictureSet, SampleSet, Samples } from "./dataset.ts"

/**
 * Makes one split from parallel lists; `images` are planes [C, H, W] uint8, usually views of a file's bytes.
 *
 * @throws LearnlossError `COUNT_MISMATCH` when the lists differ in length.
 */
export function sampleSet<Target>(
  where: string,
  ids: readonly string[],
  targets: readonly Target[],
  images: readonly Uint8Array[],
): SampleSet<Target> {
  if (ids.length !== images.length || targets.length !== images.length) {
    throw new LearnlossError("COUNT_MISMATCH", {
      where,
      expected: `one label for each of ${images.length} images`,
      got: `${targets.length} labels and ${ids.length} ids`,
      fix: "Images and labels come from different versions: fetch both again.",
    })
  }
  return { ids, targets, image: (position) => imageAt(images, position) }
}

/** A part of a split in the given order of positions; pixels are not copied. */
export function subset<Set extends Samples<unknown>>(set: Set, positions: readonly number[]): Set {
  const part = {
    ids: positions.map((position) => set.ids[position] as string),
    targets: positions.map((position) => set.targets[position]),
  }
  const images = set as Partial<Pick<SampleSet<unknown>, "image"> & Pick<PictureSet<unknown>, "picture">>
  const { image, picture } = images
  const at = (position: number) => positions[position] ?? -1
  return {
    ...set,
    ...part,
    ...(image && { image: (position: number) => image(at(position)) }),
    ...(picture && { picture: (position: number) => picture(at(position)) }),
  } as Set
}

/**
 * Checks that no id stands twice in the splits.
 *
 * @throws LearnlossError `DUPLICATE_ID`
 */
export function requireUniqueIds(where: string, ...sets: readonly { readonly ids: readonly string[] }[]): void {
  const seen = new Set<string>()
  for (const { ids } of sets) {
    for (const id of ids) {
      if (!seen.has(id)) {
        seen.add(id)
        continue
      }
      throw new LearnlossError("DUPLICATE_ID", {
        where,
        expected: "every sample to have an id of its own",
        got: `"${id}" twice`,
        fix: "Rename one of the two files; names that differ only in how accents are encoded count as the same.",
      })
    }
  }
}

function imageAt(images: readonly Uint8Array[], position: number): Uint8Array {
  const image = images[position]
  if (image === undefined) throw new RangeError(`position ${position} is outside a split of ${images.length} samples`)
  return image
}
