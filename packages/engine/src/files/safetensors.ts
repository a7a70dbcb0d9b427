import { readFileSync } from "node:fs"
import { LearnlossError } from "../errors.ts"
import { type DataType, sizeOf, type Tensor } from "../graph/tensor.ts"
import type { TensorMap } from "../nn/network.ts"
import { atomicWrite } from "./atomic-write.ts"

/** Names of element types in the safetensors format, and the bytes of an element. */
const formats = {
  float32: { name: "F32", bytes: 4, view: (buffer) => new Float32Array(buffer) },
  int64: { name: "I64", bytes: 8, view: (buffer) => new BigInt64Array(buffer) },
  int32: { name: "I32", bytes: 4, view: (buffer) => new Int32Array(buffer) },
  int8: { name: "I8", bytes: 1, view: (buffer) => new Int8Array(buffer) },
  uint8: { name: "U8", bytes: 1, view: (buffer) => new Uint8Array(buffer) },
  bool: { name: "BOOL", bytes: 1, view: (buffer) => new Uint8Array(buffer) },
} as const satisfies Record<DataType, { name: string; bytes: number; view: (buffer: ArrayBuffer) => Tensor["data"] }>

interface HeaderEntry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

/** Writes tensors by name in the safetensors format: header length (uint64), JSON header, data; all little-endian. */
export function writeSafetensors(path: string, tensors: TensorMap): void {
  const header: Record<string, HeaderEntry> = {}
  const parts: Uint8Array[] = []
  let offset = 0
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype: formats[dtype].name, shape, data_offsets: [offset, offset + data.byteLength] }
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    offset += data.byteLength
  }
  const json = JSON.stringify(header)
  // Spaces bring the data to a multiple of eight bytes, as the format allows.
  const text = Buffer.from(
    json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8 - (Buffer.byteLength(json) - json.length)),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.byteLength))
  atomicWrite(path, [length, text, ...parts])
}

/**
 * Reads a safetensors file of tensors of the types that graphs use.
 *
 * @throws LearnlossError `SAFETENSORS_BROKEN` when it is truncated, malformed or of another format
 */
export function readSafetensors(path: string): TensorMap {
  const broken = (expected: string, got: string) =>
    new LearnlossError("SAFETENSORS_BROKEN", {
      where: path,
      expected,
      got,
      fix: "Restore the file from where it came.",
    })
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw broken("a readable safetensors file", error instanceof Error ? error.message : String(error))
  }
  if (bytes.byteLength < 8) throw broken("a header of 8 bytes", `${bytes.byteLength} bytes`)
  const headerLength = Number(bytes.readBigUInt64LE(0))
  if (headerLength > bytes.byteLength - 8)
    throw broken(`a header of ${headerLength} bytes`, `a file of ${bytes.byteLength} bytes`)
  let header: Record<string, HeaderEntry>
  try {
    header = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength))
  } catch {
    throw broken("a JSON header", "something else")
  }
  const data = bytes.subarray(8 + headerLength)
  const tensors = new Map<string, Tensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue
    tensors.set(name, readTensor(name, entry, data, broken))
  }
  return tensors
}

function readTensor(
  name: string,
  entry: HeaderEntry,
  data: Buffer,
  broken: (expected: string, got: string) => LearnlossError,
): Tensor {
  const { dtype, shape, data_offsets: offsets } = entry
  if (!Array.isArray(shape) || !Array.isArray(offsets))
    throw broken(`shape and offsets of ${name}`, JSON.stringify(entry))
  const [start, end] = offsets as [number, number]
  const known = Object.keys(formats) as DataType[]
  const type = known.find((each) => formats[each].name === dtype)
  if (type === undefined) throw broken(`${known.map((each) => formats[each].name).join(", ")} for ${name}`, dtype)
  const bytes = sizeOf(shape) * formats[type].bytes
  if (!(start >= 0 && end <= data.byteLength && end - start === bytes)) {
    throw broken(`${bytes} bytes of ${name}`, `offsets ${start}..${end} in ${data.byteLength} bytes of data`)
  }
  // Copied, so that the data are aligned and the file's buffer can go.
  const buffer = new Uint8Array(data.subarray(start, end)).buffer
  return { dtype: type, shape, data: formats[type].view(buffer) } as Tensor
}
