import { promisify } from "node:util"
import { inflate } from "node:zlib"
import { LearnlossError } from "@learnloss/engine"
import { readBytes } from "../../read-bytes.ts"

/** Data types of elements in a level 5 MAT-file ("MAT-File Format", The MathWorks). */
const matrix = 14
const compressed = 15
/** Bytes of one number of each data type. */
const widths: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 2,
  5: 4,
  6: 4,
  7: 4,
  9: 8,
  12: 8,
  13: 8,
  16: 1,
  17: 2,
}

/** Far above what MPII's file inflates to, and low enough that a small file cannot fill the memory. */
const mostBytes = 2 ** 30
/** Far above the length of any array in it. */
const mostNumbers = 2 ** 22
/** As many bytes as names of a struct's fields may have. */
const mostNameBytes = 2 ** 14
const inflateAsync = promisify(inflate)

/**
 * Reads one variable of a MATLAB level 5 MAT-file (what `save -v6` and `-v7` write), whose parts are taken apart only as
 * they are asked for: sizes that a file claims are compared with its bytes and never allocated.
 *
 * @returns undefined when there is no variable of that name
 * @throws LearnlossError `MAT_VERSION` for version 4 and 7.3, `BAD_MAT` for what is no whole MAT file, `FILE_NOT_READ`
 */
export async function readMatVariable(path: string, name: string): Promise<MatValue | undefined> {
  const bytes = await readBytes(path)
  requireLevel5(path, bytes)
  const source = sourceOf(path, bytes)
  for (let at = 128; at < bytes.length; ) {
    const element = readElement(source, at, bytes.length)
    at = element.type === compressed ? element.end : element.next
    const value =
      element.type === compressed
        ? await inflated(path, bytes.subarray(element.start, element.end))
        : element.type === matrix
          ? new MatValue(source, element)
          : undefined
    if (value?.name() === name) return value
  }
  return undefined
}

interface Source {
  readonly path: string
  readonly view: DataView
}

/** A tagged piece of the file: its data from `start` to `end`, and where the next piece begins. */
interface Element {
  readonly type: number
  readonly start: number
  readonly end: number
  readonly next: number
}

function sourceOf(path: string, bytes: Uint8Array): Source {
  return { path, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

async function inflated(path: string, bytes: Uint8Array): Promise<MatValue | undefined> {
  const whole = await inflateAsync(bytes, { maxOutputLength: mostBytes }).catch((error: Error) => {
    throw badMat(path, `a variable that does not decompress (${error.message})`)
  })
  const source = sourceOf(path, whole)
  const element = readElement(source, 0, whole.length)
  return element.type === matrix ? new MatValue(source, element) : undefined
}

function readElement({ path, view }: Source, at: number, end: number): Element {
  if (at + 8 > end) throw badMat(path, `a piece cut off at byte ${at}`)
  const first = view.getUint32(at, true)
  // Up to four bytes of data may stand in the tag itself, with their number in its upper half.
  const smallSize = first >>> 16
  const [type, size, start] =
    smallSize === 0 ? [first, view.getUint32(at + 4, true), at + 8] : ([first & 0xffff, smallSize, at + 4] as const)
  const room = (smallSize === 0 ? end : at + 8) - start
  if (size > room) throw badMat(path, `a piece at byte ${at} that claims ${size} bytes where ${room} are left`)
  const padded = smallSize === 0 ? start + Math.ceil(size / 8) * 8 : at + 8
  return { type, start, end: start + size, next: Math.min(padded, end) }
}

/**
 * An array of a MAT file: a variable, or a field of one. A file has millions, of which few are looked at: nothing is read
 * before it is asked for.
 */
export class MatValue {
  readonly kind: "struct" | "numbers" | "text" | "other"
  readonly #source: Source
  readonly #end: number
  readonly #size: Element | undefined
  #struct: Struct | undefined

  constructor(source: Source, { start, end }: Element) {
    this.#source = source
    this.#end = end
    // What was never set is an array without even a size.
    const flags = start === end ? undefined : readElement(source, start, end)
    this.#size = flags === undefined ? undefined : readElement(source, flags.next, end)
    this.kind = flags === undefined ? "numbers" : kindOf(source, flags)
  }

  /** Of a variable; fields have none. */
  name(): string {
    const title = this.#title()
    return title === undefined ? "" : textOf(this.#source, title)
  }

  /** Elements of a struct; of others 0. */
  get count(): number {
    return this.#open()?.count ?? 0
  }

  /** The numbers of a numeric array, column by column; of others none. */
  numbers(): number[] {
    const data = this.kind === "numbers" ? this.#data() : undefined
    return data === undefined ? [] : numbersOf(this.#source, data)
  }

  /** The characters of a char array; of others none. */
  text(): string {
    const data = this.kind === "text" ? this.#data() : undefined
    return data === undefined ? "" : textOf(this.#source, data)
  }

  /** A field of an element of a struct, elements counted from 0; undefined where there is none. */
  field(name: string, index = 0): MatValue | undefined {
    const struct = this.#open()
    const column = struct?.names.get(name)
    if (struct === undefined || column === undefined || !(index >= 0 && index < struct.count)) return undefined
    const place = struct.places[index * struct.names.size + column] as number
    const element = readElement(this.#source, place, this.#end)
    if (element.type === matrix) return new MatValue(this.#source, element)
    throw badMat(this.#source.path, `a field ${name} that is no array`)
  }

  #title(): Element | undefined {
    return this.#size === undefined ? undefined : readElement(this.#source, this.#size.next, this.#end)
  }

  #data(): Element | undefined {
    const title = this.#title()
    return title === undefined || title.next >= this.#end ? undefined : readElement(this.#source, title.next, this.#end)
  }

  #open(): Struct | undefined {
    const title = this.kind === "struct" ? this.#title() : undefined
    if (title === undefined || this.#size === undefined) return undefined
    this.#struct ??= openStruct(this.#source, title.next, this.#end, countOf(this.#source, this.#size))
    return this.#struct
  }
}

/** Elements of an array, by its lengths as int32. */
function countOf({ view }: Source, { start, end }: Element): number {
  let count = 1
  for (let at = start; at + 4 <= end; at += 4) count *= view.getInt32(at, true)
  return count
}

/** Of the classes of arrays by their number: 2 is a struct, 4 text, 6 to 15 are numbers of all widths. */
function kindOf({ view }: Source, { start, end }: Element): MatValue["kind"] {
  const arrayClass = end - start < 4 ? 0 : view.getUint32(start, true) & 0xff
  if (arrayClass === 2) return "struct"
  if (arrayClass === 4) return "text"
  return arrayClass >= 6 && arrayClass <= 15 ? "numbers" : "other"
}

interface Struct {
  readonly count: number
  /** Places of fields in an element. */
  readonly names: ReadonlyMap<string, number>
  /** Where each field of each element begins. */
  readonly places: Uint32Array
}

/** Opens a struct: the names of its fields come first, then for each element in turn its fields in their order. */
function openStruct(source: Source, start: number, end: number, claimed: number): Struct {
  const width = readElement(source, start, end)
  const text = readElement(source, width.next, end)
  const names = namesOf(source, numbersOf(source, width)[0] ?? 0, text)
  const [fields, room] = [names.size, end - text.next]
  const count = fields === 0 ? 0 : Math.max(0, claimed)
  if (count * fields * 8 > room)
    throw badMat(source.path, `a struct that claims ${count} elements of ${fields} fields where ${room} bytes are left`)
  return { count, names, places: placesOf(source, text.next, end, count * fields) }
}

function namesOf({ path, view }: Source, length: number, { start, end }: Element): Map<string, number> {
  if (end - start > mostNameBytes) throw badMat(path, `${end - start} bytes of names of fields`)
  const names = new Map<string, number>()
  for (let at = start; length > 0 && at + length <= end; at += length) {
    let name = ""
    for (let byte = at; byte < at + length && view.getUint8(byte) !== 0; byte++)
      name += String.fromCharCode(view.getUint8(byte))
    names.set(name, names.size)
  }
  return names
}

function placesOf(source: Source, start: number, end: number, count: number): Uint32Array {
  const places = new Uint32Array(count)
  let at = start
  for (let index = 0; index < count; index++) {
    places[index] = at
    at = readElement(source, at, end).next
  }
  return places
}

function numbersOf({ path, view }: Source, { type, start, end }: Element): number[] {
  const width = widths[type]
  if (width === undefined) throw badMat(path, `numbers of the unknown type ${type}`)
  const count = Math.floor((end - start) / width)
  if (count > mostNumbers) throw badMat(path, `${count} numbers in one array`)
  const numbers: number[] = []
  for (let at = start; at + width <= end; at += width) numbers.push(numberAt(view, at, type))
  return numbers
}

function numberAt(view: DataView, at: number, type: number): number {
  if (type === 1) return view.getInt8(at)
  if (type === 3) return view.getInt16(at, true)
  if (type === 4 || type === 17) return view.getUint16(at, true)
  if (type === 5) return view.getInt32(at, true)
  if (type === 6) return view.getUint32(at, true)
  if (type === 7) return view.getFloat32(at, true)
  if (type === 9) return view.getFloat64(at, true)
  if (type === 12) return Number(view.getBigInt64(at, true))
  return type === 13 ? Number(view.getBigUint64(at, true)) : view.getUint8(at)
}

function textOf(source: Source, element: Element): string {
  const { view } = source
  const bytes = new Uint8Array(view.buffer, view.byteOffset + element.start, element.end - element.start)
  if (element.type === 16) return new TextDecoder().decode(bytes)
  return widths[element.type] === 1
    ? latin1(bytes)
    : String.fromCharCode(...numbersOf(source, element).slice(0, mostText))
}

/** Far above any name of a file. */
const mostText = 4096

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, mostText)).toString("latin1")
}

function requireLevel5(path: string, bytes: Uint8Array): void {
  if (latin1(bytes.subarray(0, 10)) === "MATLAB 7.3" || latin1(bytes.subarray(512, 516)) === "\x89HDF")
    throw otherVersion(path, "version 7.3 (HDF5)")
  // The mark stands the other way round where numbers have their highest byte first.
  if (bytes.length >= 128 && bytes[124] === 0 && bytes[125] === 1 && latin1(bytes.subarray(126, 128)) === "IM") return
  // Version 4 has no text at its start, but the type of its first variable.
  if (bytes.length >= 20 && bytes.subarray(0, 4).includes(0)) throw otherVersion(path, "version 4, or no MAT file")
  throw badMat(path, bytes.length < 128 ? `only ${bytes.length} bytes` : "no header of such a file")
}

function otherVersion(where: string, got: string): LearnlossError {
  return new LearnlossError("MAT_VERSION", {
    where,
    expected: "a MAT file of version 5, as MPII's official annotations are",
    got,
    fix: "Take the file as it was published, or save it in MATLAB with -v7.",
  })
}

function badMat(where: string, got: string): LearnlossError {
  return new LearnlossError("BAD_MAT", {
    where,
    expected: "a whole MAT file of version 5",
    got,
    fix: "The file is damaged or another: fetch it again.",
  })
}
