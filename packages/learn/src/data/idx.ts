import { LearnlossError } from "@learnloss/engine"
import { readBytes } from "./read-bytes.ts"

/** An array of bytes as the IDX format stores it: big-endian sizes, last dimension fastest. */
export interface IdxArray {
  readonly dimensions: readonly number[]
  readonly bytes: Uint8Array
}

/**
 * Reads an IDX file of unsigned bytes (gzip or not) with the given number of dimensions.
 *
 * @throws LearnlossError `WRONG_MAGIC` when it is no such file, `TRUNCATED_FILE` when its length contradicts its header.
 */
export async function readIdx(path: string, dimensionCount: number): Promise<IdxArray> {
  const content = await readBytes(path)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const headerBytes = 4 + 4 * dimensionCount
  const magic = 0x0800 + dimensionCount // 0x08 stands for unsigned bytes
  const found = content.length < 4 ? undefined : view.getUint32(0)
  if (found !== magic) {
    throw new LearnlossError("WRONG_MAGIC", {
      where: path,
      expected: `an IDX file of bytes with ${dimensionCount} dimensions (magic number ${magic})`,
      got: found === undefined ? `${content.length} bytes` : `magic number ${found}`,
      fix: "Images and labels may be exchanged, or this is another file: fetch it again.",
    })
  }
  const dimensions: number[] = []
  for (let axis = 0; axis < dimensionCount && content.length >= headerBytes; axis++) {
    dimensions.push(view.getUint32(4 + 4 * axis))
  }
  const expectedBytes = headerBytes + dimensions.reduce((product, size) => product * size, 1)
  if (dimensions.length < dimensionCount || content.length !== expectedBytes) {
    throw new LearnlossError("TRUNCATED_FILE", {
      where: path,
      expected: `${expectedBytes} bytes for ${dimensions.join(" x ")} values`,
      got: `${content.length} bytes (decompressed)`,
      fix: "The file is damaged or was cut off: fetch it again.",
    })
  }
  return { dimensions, bytes: content.subarray(headerBytes) }
}
