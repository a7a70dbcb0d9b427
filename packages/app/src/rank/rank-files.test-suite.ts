import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRng, floatTensor, type Tensor } from "@learnloss/engine"
import { type WrittenModel, writeOnnxModel } from "@learnloss/engine/testing"
import sharp from "sharp"

function numbers(name: string, shape: readonly number[]): Tensor {
  const rng = createRng(name)
  const size = shape.reduce((product, length) => product * length, 1)
  return floatTensor(
    shape,
    Float32Array.from({ length: size }, () => rng.normal()),
  )
}

/** A convolution and a linear layer on 8x8 images; its tap is `map`. */
export const smallNetwork: WrittenModel = {
  opset: 13,
  inputs: [{ name: "image", shape: ["N", 3, 8, 8] }],
  initializers: { kernel: numbers("kernel", [8, 3, 3, 3]), head: numbers("head", [8, 4]) },
  nodes: [
    { op: "Conv", inputs: ["image", "kernel"], outputs: ["c"], attributes: { pads: [1, 1, 1, 1] } },
    { op: "Relu", inputs: ["c"], outputs: ["map"] },
    { op: "GlobalAveragePool", inputs: ["map"], outputs: ["pooled"] },
    { op: "Flatten", inputs: ["pooled"], outputs: ["embedding"] },
    { op: "MatMul", inputs: ["embedding", "head"], outputs: ["logits"] },
  ],
  outputs: [{ name: "logits", shape: ["N", 4] }],
}

/** Writes a network, images of one colour each and losses that grow with their red: `net.onnx`, `losses.csv`, folders. */
export async function writeRankInput(
  root: string,
  counts: Readonly<Record<"labeled" | "pool", number>>,
): Promise<ReadonlyMap<string, number>> {
  const rng = createRng("images")
  const losses = new Map<string, number>()
  for (const [folder, count] of Object.entries(counts)) {
    mkdirSync(join(root, folder, "deep"), { recursive: true })
    for (let index = 0; index < count; index++) {
      const [r, g, b] = [rng.integer(256), rng.integer(256), rng.integer(256)]
      const id = `${index % 2 === 0 ? "" : "deep/"}${String(index).padStart(3, "0")}.png`
      await sharp({ create: { width: 12, height: 8, channels: 3, background: { r, g, b } } })
        .png()
        .toFile(join(root, folder, id))
      losses.set(`${folder}/${id}`, r / 255)
    }
  }
  const rows = [...losses].flatMap(([path, loss]) =>
    path.startsWith("labeled/") ? [`${path.slice("labeled/".length)},${loss}\n`] : [],
  )
  writeFileSync(join(root, "losses.csv"), `id,loss\n${rows.join("")}`)
  writeFileSync(join(root, "net.onnx"), writeOnnxModel(smallNetwork))
  return losses
}

/** The arguments of the command on what `writeRankInput` wrote. */
export function rankArguments(root: string, n: number): string[] {
  const files = ["--losses", join(root, "losses.csv"), "--images", join(root, "labeled"), "--pool", join(root, "pool")]
  return ["rank", join(root, "net.onnx"), ...files, "-n", String(n), "--mean", "0.5", "--std", "0.25"]
}
