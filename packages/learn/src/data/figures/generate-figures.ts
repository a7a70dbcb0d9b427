import { setImmediate } from "node:timers/promises"
import type { Picture, PictureSet, PoseDataset } from "../dataset.ts"
import type { PersonTarget } from "../people.ts"
import type { ReadOptions } from "../reader.ts"
import { drawNoise } from "../shapes/paint.ts"
import { parseSizes } from "../shapes/sizes.ts"
import { figureSkeleton } from "./figure-skeleton.ts"
import { paintFigures } from "./scene.ts"

const defaultSizes = { train: 2_000, test: 500 }
/** A picture takes up to 69 KiB of memory. */
const sizeLimits = { least: 10, most: 20_000, usual: defaultSizes }

/**
 * Draws pictures of one or two jointed figures whose 14 joints, boxes and head sizes are known exactly, to find joints
 * in: front, back and side views of what people do often and seldom, some of their joints hidden. People 0 to n are the
 * same however many are drawn.
 *
 * @param path `TRAIN,TEST`: how many people of each split; 2,000 and 500 when not given
 * @throws LearnlossError `BAD_SIZE`
 */
export async function generateFigures(path: string | undefined, options: ReadOptions): Promise<PoseDataset> {
  const sizes = path === undefined ? defaultSizes : parseSizes("figures", path, sizeLimits)
  const rng = options.rng.child("figures")
  const noise = drawNoise(rng.child("noise"))
  const drawSplit = async (split: "train" | "test", before: number): Promise<PictureSet<PersonTarget>> => {
    const people: { readonly id: string; readonly target: PersonTarget; readonly picture: Picture }[] = []
    for (let position = 0; people.length < sizes[split]; position++) {
      const scene = paintFigures(noise, rng.child(split).child(position))
      const imageId = `${split}/${String(position).padStart(5, "0")}`
      for (const [index, person] of scene.people.entries()) {
        people.push({ id: `${imageId}#${index}`, target: { ...person, imageId }, picture: scene.picture })
      }
      if (position % 100 < 99) continue
      options.onProgress?.(before + Math.min(people.length, sizes[split]), sizes.train + sizes.test)
      await setImmediate()
      options.signal?.throwIfAborted()
    }
    // The other person of the last picture may be one too many.
    people.length = sizes[split]
    return {
      ids: people.map(({ id }) => id),
      targets: people.map(({ target }) => target),
      picture(position) {
        const person = people[position]
        if (person === undefined) throw new RangeError(`position ${position} is outside a split of ${people.length}`)
        return person.picture
      },
    }
  }
  const train = await drawSplit("train", 0)
  const test = await drawSplit("test", sizes.train)
  return {
    name: path === undefined ? "figures" : `figures:${path}`,
    imageShape: { channels: 3, height: options.imageSize, width: options.imageSize },
    classNames: figureSkeleton.names,
    skeleton: figureSkeleton,
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    train,
    test,
  }
}
