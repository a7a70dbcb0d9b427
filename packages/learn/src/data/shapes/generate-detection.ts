import { setImmediate } from "node:timers/promises"
import type { DetectionTarget } from "../boxes.ts"
import type { DetectionDataset, Picture, PictureSet } from "../dataset.ts"
import type { ReadOptions } from "../reader.ts"
import { outlines } from "./outlines.ts"
import { drawNoise, sampleField } from "./paint.ts"
import { paintScene, sceneSide } from "./scene.ts"
import { parseSizes } from "./sizes.ts"

const classNames = [
  "circle",
  "square",
  "triangle",
  "star",
  "cross",
  "crescent",
] as const satisfies (keyof typeof outlines)[]
const defaultSizes = { train: 2_000, test: 500 }
/** A picture takes 48 KiB of memory. */
const sizeLimits = { least: 10, most: 20_000, usual: defaultSizes }

/**
 * Draws pictures of 128x128 pixels with none to six shapes of six classes, from 12 to 75 pixels across, whose boxes are
 * known exactly; for detectors. Pictures 0 to n are the same however many are drawn.
 *
 * @param path `TRAIN,TEST`: how many pictures of each split; 2,000 and 500 when not given
 * @throws LearnlossError `BAD_SIZE`
 */
export async function generateShapesDetection(
  path: string | undefined,
  options: ReadOptions,
): Promise<DetectionDataset> {
  const sizes = path === undefined ? defaultSizes : parseSizes("shapes-detection", path, sizeLimits)
  const rng = options.rng.child("shapes-detection")
  const noise = drawNoise(rng.child("noise"))
  const fields = classNames.map((name) => sampleField(outlines[name]))
  const drawSplit = async (split: "train" | "test", before: number): Promise<PictureSet<DetectionTarget>> => {
    const pictures: Picture[] = []
    const targets: DetectionTarget[] = []
    for (let position = 0; position < sizes[split]; position++) {
      const { picture, boxes } = paintScene(fields, noise, rng.child(split).child(position))
      pictures.push(picture)
      targets.push({ width: sceneSide, height: sceneSide, boxes })
      if (pictures.length % 100 > 0) continue
      options.onProgress?.(before + pictures.length, sizes.train + sizes.test)
      await setImmediate()
      options.signal?.throwIfAborted()
    }
    return {
      ids: targets.map((_, position) => `${split}/${String(position).padStart(5, "0")}`),
      targets,
      picture(position) {
        const picture = pictures[position]
        if (picture === undefined) throw new RangeError(`position ${position} is outside a split of ${pictures.length}`)
        return picture
      },
    }
  }
  const train = await drawSplit("train", 0)
  const test = await drawSplit("test", sizes.train)
  return {
    name: path === undefined ? "shapes-detection" : `shapes-detection:${path}`,
    imageShape: { channels: 3, height: options.imageSize, width: options.imageSize },
    classNames,
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    train,
    test,
  }
}
