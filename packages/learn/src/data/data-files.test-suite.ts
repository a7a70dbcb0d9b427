import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import sharp from "sharp"
import { onTestFinished } from "vitest"

/** Makes a folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "learnloss-data-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes a batch of CIFAR-10's binary version; all pixels of record r have the value r + 100 * plane. */
export function writeCifarBatch(path: string, labels: readonly number[]): void {
  const bytes = Buffer.alloc(labels.length * 3073)
  for (const [record, label] of labels.entries()) {
    bytes[record * 3073] = label
    for (let plane = 0; plane < 3; plane++) {
      bytes.fill(record + 100 * plane, record * 3073 + 1 + plane * 1024, record * 3073 + 1 + (plane + 1) * 1024)
    }
  }
  write(path, bytes)
}

/** Writes the two training batches and the test batch of a tiny CIFAR-10. */
export function writeCifar10(folder: string): void {
  writeCifarBatch(join(folder, "data_batch_1.bin"), [0, 1, 2, 3, 4])
  writeCifarBatch(join(folder, "data_batch_2.bin"), [5, 6, 7, 8, 9, 0])
  writeCifarBatch(join(folder, "test_batch.bin"), [3, 9, 9])
}

/** Writes an IDX file of bytes; `.gz` at the end of the name compresses it. */
export function writeIdx(path: string, dimensions: readonly number[], values: Uint8Array): void {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.writeUInt32BE(0x0800 + dimensions.length, 0)
  for (const [axis, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  const content = Buffer.concat([header, values])
  write(path, path.endsWith(".gz") ? gzipSync(content) : content)
}

/** Writes the four files of a tiny Fashion-MNIST with images of 4x3 pixels. */
export function writeFashionMnist(folder: string, suffix = ".gz"): void {
  for (const [prefix, count] of [
    ["train", 20],
    ["t10k", 10],
  ] as const) {
    const pixels = Uint8Array.from({ length: count * 12 }, (_, index) => index)
    writeIdx(join(folder, `${prefix}-images-idx3-ubyte${suffix}`), [count, 3, 4], pixels)
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 10)
    writeIdx(join(folder, `${prefix}-labels-idx1-ubyte${suffix}`), [count], labels)
  }
}

/** Writes an image of one colour, in the format of its extension. */
export async function writeImage(path: string, width = 12, height = 10, colour = "#336699"): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await sharp({ create: { width, height, channels: 3, background: colour } }).toFile(path)
}

/** Writes `count` images of each class as PNG. */
export async function writeClasses(folder: string, counts: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, count] of Object.entries(counts)) {
    for (let index = 0; index < count; index++) await writeImage(join(folder, name, `${index}.png`), 9 + index, 8)
  }
}

/** Writes a file and the folders above it. */
export function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
