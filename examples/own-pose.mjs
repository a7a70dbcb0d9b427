/**
 * @file A small folder of COCO keypoints made from nothing: drawn figures with their joints. See "Human pose" in the README.
 *
 *   node examples/own-pose.mjs DIR
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { openDataset } from "@learnloss/learn"
import sharp from "sharp"

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error("usage: node examples/own-pose.mjs DIR")
  process.exit(2)
}

const dataset = await openDataset("figures:400,100", { task: "pose", imageSize: 128, rng: createRng("example") })
const { names, bones } = dataset.skeleton
// COCO counts joints from 1 in its bones.
const category = { id: 1, name: "person", keypoints: names, skeleton: bones.map(([a, b]) => [a + 1, b + 1]) }
for (const part of ["images", "annotations"]) mkdirSync(join(folder, part), { recursive: true })
let [pictures, people] = [0, 0]
for (const split of ["train", "test"]) {
  const { targets, picture } = dataset[split]
  const images = new Map()
  const annotations = []
  for (const [position, { imageId, width, height, joints, box, area }] of targets.entries()) {
    if (!images.has(imageId)) {
      const id = ++pictures
      const name = `${String(id).padStart(6, "0")}.png`
      await sharp(picture(position).pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(join(folder, "images", name))
      images.set(imageId, { id, file_name: name, width, height })
    }
    const [x1, y1, x2, y2] = box
    annotations.push({
      id: ++people,
      image_id: images.get(imageId).id,
      category_id: 1,
      bbox: [x1, y1, x2 - x1, y2 - y1],
      area,
      iscrowd: 0,
      keypoints: joints.flatMap(({ x, y, visibility }) => (visibility === 0 ? [0, 0, 0] : [x, y, visibility])),
      num_keypoints: joints.filter(({ visibility }) => visibility > 0).length,
    })
  }
  const content = { images: [...images.values()], annotations, categories: [category] }
  writeFileSync(join(folder, "annotations", `person_keypoints_${split}.json`), JSON.stringify(content))
}
console.log(`${people} people in ${pictures} images with their joints, in ${folder}`)
