/**
 * @file A small PASCAL VOC folder made from nothing: drawn shapes with their boxes. See "Object detection" in the README.
 *
 *   node examples/own-detector.mjs DIR
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { openDataset } from "@learnloss/learn"
import sharp from "sharp"

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error("usage: node examples/own-detector.mjs DIR")
  process.exit(2)
}

const dataset = await openDataset("shapes-detection:400,100", { imageSize: 128, rng: createRng("example") })
for (const part of ["JPEGImages", "Annotations", "ImageSets/Main"]) mkdirSync(join(folder, part), { recursive: true })
let written = 0
for (const [split, { ids, targets, picture }] of [
  ["trainval", dataset.train],
  ["test", dataset.test],
]) {
  const stems = []
  for (const position of ids.keys()) {
    const stem = String(written++).padStart(6, "0")
    const { width, height, pixels } = picture(position)
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, "JPEGImages", `${stem}.png`))
    writeFileSync(join(folder, "Annotations", `${stem}.xml`), annotation(stem, targets[position]))
    stems.push(stem)
  }
  writeFileSync(join(folder, "ImageSets", "Main", `${split}.txt`), `${stems.join("\n")}\n`)
}
console.log(`${written} images with their boxes, in ${folder}`)

/** What a person would have drawn, as PASCAL VOC writes it. */
function annotation(stem, { width, height, boxes }) {
  const objects = boxes.map(
    ({ classIndex, box: [x1, y1, x2, y2] }) => `  <object>
    <name>${dataset.classNames[classIndex]}</name>
    <difficult>0</difficult>
    <bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox>
  </object>
`,
  )
  return `<annotation>
  <filename>${stem}.png</filename>
  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>
${objects.join("")}</annotation>
`
}
