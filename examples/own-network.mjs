/**
 * @file What `learnloss rank` needs, made from nothing: drawn images in folders, and the losses that somebody's own training
 * would write. See "Bring your own network" in the README.
 *
 *   node examples/own-network.mjs images DIR          draws DIR/labeled/CLASS/*.png and DIR/pool/*.png
 *   node examples/own-network.mjs losses DIR FILE     writes DIR/losses.csv: the network's loss on each labelled image
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { compileModel, createRng, floatTensor, readOnnxModel } from "@learnloss/engine"
import { openDataset } from "@learnloss/learn"
import sharp from "sharp"

const [what, folder, file] = process.argv.slice(2)
if (what === "images" && folder !== undefined) await writeImages(folder)
else if (what === "losses" && folder !== undefined && file !== undefined) await writeLosses(folder, file)
else {
  console.error("usage: node examples/own-network.mjs images DIR | losses DIR FILE.onnx")
  process.exitCode = 2
}

async function writeImages(folder) {
  const { train, test, classNames, imageShape } = await openDataset("shapes:1200,800", {
    imageSize: 32,
    rng: createRng("example"),
  })
  const { width, height } = imageShape
  const save = async (path, planes) => {
    const interleaved = new Uint8Array(planes.length)
    const area = width * height
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < 3; channel++) interleaved[pixel * 3 + channel] = planes[channel * area + pixel]
    }
    mkdirSync(join(path, ".."), { recursive: true })
    await sharp(interleaved, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(path)
  }
  for (const [position, target] of train.targets.entries())
    await save(join(folder, "labeled", classNames[target], `${position}.png`), train.image(position))
  for (const position of test.ids.keys()) await save(join(folder, "pool", `${position}.png`), test.image(position))
  console.log(`${train.ids.length} labelled images and ${test.ids.length} in the pool, in ${folder}`)
}

async function writeLosses(folder, file) {
  const labeled = join(folder, "labeled")
  const { train, test, normalization, imageShape } = await openDataset(`images:${labeled}`, {
    imageSize: 32,
    rng: createRng(0).child("data"),
  })
  const network = await compileModel(readFileSync(file), { threads: 2 })
  const model = readOnnxModel(file)
  const size = imageShape.channels * imageShape.height * imageShape.width
  const lines = ["id,loss"]
  for (const { ids, targets, image } of [train, test]) {
    for (const [position, id] of ids.entries()) {
      const pixels = image(position)
      const area = size / 3
      const values = Float32Array.from(pixels, (value, index) => {
        const channel = Math.floor(index / area)
        return (value / 255 - normalization.mean[channel]) / normalization.std[channel]
      })
      const result = await network.run({ [model.inputs[0].name]: floatTensor([1, 3, 32, 32], values) })
      lines.push(`${id},${crossEntropy(result[model.outputs[0].name].data, targets[position])}`)
    }
  }
  await network.release()
  writeFileSync(join(folder, "losses.csv"), `${lines.join("\n")}\n`)
  console.log(`${lines.length - 1} losses, in ${join(folder, "losses.csv")}`)
}

function crossEntropy(logits, target) {
  const largest = Math.max(...logits)
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)) + largest - logits[target]
}
