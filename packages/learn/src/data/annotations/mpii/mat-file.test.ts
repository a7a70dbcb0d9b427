import { readFileSync } from "node:fs"
import { join } from "node:path"
import { deflateSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write } from "../../data-files.test-suite.ts"
import { testLog } from "../annotation-files.test-suite.ts"
import { readMatVariable } from "./mat-file.ts"
import { readMpiiMat } from "./mpii-mat.ts"

const fixtures = join(import.meta.dirname, "../../../../../../fixtures/mpii")
const plain = readFileSync(join(fixtures, "plain.mat"))

function read(bytes: Uint8Array, name = "RELEASE") {
  const path = join(temporaryFolder(), "some.mat")
  write(path, bytes)
  return readMatVariable(path, name)
}

/** What comes of reading people from a file: `read`, or the code of the error. */
async function outcome(bytes: Uint8Array): Promise<unknown> {
  const path = join(temporaryFolder(), "some.mat")
  write(path, bytes)
  return await readMpiiMat(path, testLog().log).then(
    () => "read",
    (error: { readonly code?: string }) => error.code ?? error,
  )
}

/** A tag and its data, filled up to eight bytes. */
function element(type: number, data: Uint8Array): Buffer {
  const tag = Buffer.alloc(8)
  tag.writeUInt32LE(type, 0)
  tag.writeUInt32LE(data.length, 4)
  return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)])
}

const int32 = (...values: readonly number[]): Buffer => Buffer.from(Int32Array.from(values).buffer)

/** A struct named RELEASE that claims a size and names of fields, and what follows them. */
function struct(size: readonly number[], names: Uint8Array, rest: Uint8Array, nameLength = 8): Buffer {
  const about = [element(6, int32(2, 0)), element(5, int32(...size)), element(1, Buffer.from("RELEASE"))]
  return element(14, Buffer.concat([...about, element(5, int32(nameLength)), element(1, names), rest]))
}

const file = (...elements: readonly Uint8Array[]): Buffer => Buffer.concat([plain.subarray(0, 128), ...elements])

describe("readMatVariable", () => {
  it.each(["plain.mat", "compressed.mat"])("takes structs, numbers and text of %s apart", async (name) => {
    const path = join(fixtures, name)
    const release = await readMatVariable(path, "RELEASE")
    const images = release?.field("annolist")
    expect(release?.kind).toBe("struct")
    expect(release?.field("version")?.text()).toBe("12")
    expect(release?.field("img_train")?.numbers()).toEqual([1, 1, 0, 1, 1])
    expect(images?.count).toBe(5)
    expect(images?.field("image", 3)?.field("name")?.text()).toBe("086617615.jpg")
    expect(images?.field("vididx", 1)).toMatchObject({ kind: "numbers", count: 0 })
    expect(images?.field("nothing")).toBeUndefined()
    expect(images?.field("image", 5)).toBeUndefined()
    expect(images?.field("image", -1)).toBeUndefined()
    expect((await readMatVariable(path, "other"))?.numbers()).toEqual([0, 1, 2])
    expect(await readMatVariable(path, "missing")).toBeUndefined()
  })

  it("refuses other versions, and names what is none", async () => {
    await expect(readMatVariable(join(fixtures, "version-4.mat"), "other")).rejects.toMatchObject({
      code: "MAT_VERSION",
      message: expect.stringMatching(/version 4.*-v7/),
    })
    const header = Buffer.alloc(600, " ")
    header.write("MATLAB 7.3 MAT-file, Platform: GLNXA64")
    await expect(read(header)).rejects.toThrow(/version 7\.3 \(HDF5\)/)
    for (const bytes of [Buffer.alloc(0), Buffer.from("no MAT file"), Buffer.alloc(4000, "x")]) {
      await expect(read(bytes)).rejects.toMatchObject({ code: "BAD_MAT" })
    }
  })

  it("refuses files that are cut off, wherever that is", async () => {
    const compressed = readFileSync(join(fixtures, "compressed.mat"))
    for (const bytes of [plain, compressed])
      for (let length = 136; length < bytes.length; length += 97)
        expect(await outcome(bytes.subarray(0, length))).toMatch(/^BAD_(MAT|MPII)$/)
  })

  it("allocates nothing for sizes that a file only claims", async () => {
    const names = Buffer.from("annolist")
    const countOf = async (bytes: Uint8Array) => (await read(file(bytes)))?.count
    const most = [1, 2 ** 31 - 1]
    await expect(countOf(struct(most, names, Buffer.alloc(64)))).rejects.toThrow(/claims 2147483647 elements/)
    expect(await countOf(struct([-1, 7], names, Buffer.alloc(64)))).toBe(0)
    expect(await countOf(struct(most, Buffer.alloc(0), Buffer.alloc(0)))).toBe(0)
    await expect(countOf(struct([1, 1], Buffer.alloc(2 ** 15, "x"), Buffer.alloc(0), 1))).rejects.toThrow(/of names/)
    const claim = Buffer.alloc(8)
    claim.writeUInt32LE(14, 0)
    claim.writeUInt32LE(2 ** 32 - 1, 4)
    await expect(read(file(claim))).rejects.toThrow(/claims 4294967295 bytes where 0 are left/)
    const bomb = element(15, deflateSync(element(14, Buffer.alloc(2 ** 24))))
    await expect(read(file(bomb))).rejects.toThrow(/numbers of the unknown type 0/)
  })

  it("reads garbage behind a header to an end", async () => {
    let state = 1
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(plain)
      for (let change = 0; change < 8; change++) {
        state = (state * 48271) % 0x7fffffff
        bytes[128 + (state % (bytes.length - 128))] = state % 251
      }
      expect(await outcome(bytes)).toMatch(/^(read|BAD_MAT|BAD_MPII)$/)
    }
  })
})
