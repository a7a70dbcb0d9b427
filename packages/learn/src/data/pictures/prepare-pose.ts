import type { PersonTarget } from "../people.ts"
import { type DecodedPicture, requireFileSize } from "./decode-picture.ts"
import type { Preparation, Prepared } from "./pipeline.ts"
import { drawPoseChanges, noPoseChanges, type PoseAugmentation, type PoseChanges } from "./pose-augmentation.ts"
import { swapSides, transformPerson } from "./transform-person.ts"
import { type Affine, inverse, warpPicture } from "./warp.ts"

/**
 * Cuts a person out of the whole picture at the size of a network's input, after random changes where they are asked
 * for: crop, scale, rotation and mirroring are one transformation, so that every pixel is interpolated once. Without
 * pairs in the skeleton nothing is mirrored.
 *
 * @throws LearnlossError `PICTURE_SIZE` when the joints were measured in a picture of another size
 */
export async function preparePose({
  picture,
  name,
  target,
  change,
  size,
  fill,
  skeleton,
}: Preparation<PersonTarget, PoseAugmentation>): Promise<Prepared<PersonTarget>> {
  requireFileSize(picture, target, name, "joints")
  const drawn = change === null ? noPoseChanges : drawPoseChanges(change.augmentation, change.rng)
  const pairs = skeleton?.pairs ?? []
  // Where nobody says which joints change places, a mirrored person would teach the wrong sides.
  const changes = { ...drawn, isMirrored: drawn.isMirrored && pairs.length > 0 }
  const toFile = fileOfInput(target, changes, size)
  const toPicture = shrunkAs(picture, toFile)
  const pixels = warpPicture(picture, { size, toPicture, colours: changes.colours, fill })
  const seen = changes.isMirrored ? { ...target, joints: swapSides(target.joints, pairs) } : target
  const crop = { center: [size.width / 2, size.height / 2], side: size.width } as const
  return { pixels, target: { ...transformPerson(seen, inverse(toFile), size), crop } }
}

/** From pixels of the input to pixels of the file that the person was marked in. */
function fileOfInput(
  { crop: { center, side } }: PersonTarget,
  { scale, angle, isMirrored }: PoseChanges,
  { width, height }: { readonly width: number; readonly height: number },
): Affine {
  const [across, down] = [((isMirrored ? -1 : 1) * scale * side) / width, (scale * side) / height]
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
  const [xx, xy, yx, yy] = [cosine * across, -sine * down, sine * across, cosine * down]
  // The middle of the input shows the middle of the crop.
  const x0 = center[0] - (xx * width + xy * height) / 2
  const y0 = center[1] - (yx * width + yy * height) / 2
  return { xx, xy, x0, yx, yy, y0 }
}

/** Leads to a decoded picture that may be smaller than its file. */
function shrunkAs({ width, height, fileWidth, fileHeight }: DecodedPicture, to: Affine): Affine {
  const [across, down] = [width / fileWidth, height / fileHeight]
  return {
    xx: to.xx * across,
    xy: to.xy * across,
    x0: to.x0 * across,
    yx: to.yx * down,
    yy: to.yy * down,
    y0: to.y0 * down,
  }
}
