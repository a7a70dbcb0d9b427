import { setImmediate } from "node:timers/promises"
import type { Rng } from "@learnloss/engine"
import type { ClassificationDataset, ImageShape, SampleSet } from "../dataset.ts"
import { measureNormalization } from "../normalization.ts"
import type { ReadOptions } from "../reader.ts"
import { sampleSet } from "../sample-set.ts"
import { outlines } from "./outlines.ts"
import { drawNoise, type Field, imageSide, paintShape, sampleField } from "./paint.ts"
import { parseSizes } from "./sizes.ts"

const defaultSizes = { train: 12_000, test: 2_000 }
const sizeLimits = { least: Object.keys(outlines).length, most: 100_000, usual: defaultSizes }
const imageShape: ImageShape = { channels: 3, height: imageSide, width: imageSide }

/**
 * Draws ten classes of shapes (circle, ring, square, frame, triangle, star, cross, crescent, heart, arrow) as RGB
 * images of 32x32 pixels: light, of random colour, size, place and angle, before a waved and noisy background with
 * strokes on it. Hard for a linear classifier (under 20% right), easy for a small convolutional network (over 80% after
 * 500 steps on 1,000 images).
 *
 * Images 0 to n are the same however many are drawn, so `shapes:2000,500` is a part of `shapes`.
 *
 * @param path `TRAIN,TEST`: how many images of each split; 12,000 and 2,000 when not given
 * @throws LearnlossError `BAD_SIZE`
 */
export async function generateShapes(path: string | undefined, options: ReadOptions): Promise<ClassificationDataset> {
  const sizes = path === undefined ? defaultSizes : parseSizes("shapes", path, sizeLimits)
  const total = sizes.train + sizes.test
  const rng = options.rng.child("shapes")
  const noise = drawNoise(rng.child("noise"))
  const fields = Object.values(outlines).map(sampleField)
  const draw = (split: "train" | "test", before: number): Promise<SampleSet<number>> =>
    drawSplit(split, sizes[split], fields, noise, rng.child(split), async (done) => {
      options.onProgress?.(before + done, total)
      await setImmediate()
      options.signal?.throwIfAborted()
    })
  const train = await draw("train", 0)
  const test = await draw("test", sizes.train)
  return {
    name: path === undefined ? "shapes" : `shapes:${path}`,
    imageShape,
    classNames: Object.keys(outlines),
    normalization: measureNormalization(train, imageShape),
    train,
    test,
  }
}

async function drawSplit(
  split: string,
  count: number,
  fields: readonly Field[],
  noise: Float32Array,
  rng: Rng,
  pause: (done: number) => Promise<void>,
): Promise<SampleSet<number>> {
  const images: Uint8Array[] = []
  for (let position = 0; position < count; position++) {
    images.push(paintShape(fields[position % fields.length] as Field, noise, rng.child(position)))
    if (images.length % 500 === 0 || images.length === count) await pause(images.length)
  }
  const positions = images.map((_, position) => position)
  return sampleSet(
    "shapes",
    positions.map((position) => `${split}/${String(position).padStart(5, "0")}`),
    positions.map((position) => position % fields.length),
    images,
  )
}
