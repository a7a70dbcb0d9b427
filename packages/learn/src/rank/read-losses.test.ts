import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { ImageFile } from "../frozen/image-files.ts"
import { readLosses } from "./read-losses.ts"

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "learnloss-losses-"))
  file = join(folder, "losses.csv")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const image = (id: string): ImageFile => ({ id, path: `/i/${id}`, realPath: `/i/${id}` })
const images = Array.from({ length: 25 }, (_, index) => image(`a/${String(index).padStart(2, "0")}.jpg`))
const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `${images[from + index]?.id},${index / 10}\n`).join("")

const read = (text: string, known: readonly ImageFile[] = images) => {
  writeFileSync(file, text)
  return readLosses(file, known, "/i")
}

describe("losses of a training elsewhere", () => {
  it("are read with header, further columns, quotes, a byte order mark and Windows line ends", async () => {
    const text = `\ufeff"Class", ID ,"loss"\r\n"a ""b"", c",a/03.jpg,0.5\r\n\r\nx,"a/01.jpg",1e-2\r\n${Array.from({ length: 18 }, (_, index) => `,${images[index + 5]?.id},-3\r\n`).join("")}`
    const samples = await read(text)
    expect(samples.slice(0, 3).map(({ image: { id }, loss }) => [id, loss])).toEqual([
      ["a/01.jpg", 0.01],
      ["a/03.jpg", 0.5],
      ["a/05.jpg", -3],
    ])
    expect(samples).toHaveLength(20)
  })

  it("name images by path, by path without extension or by a name that only one file has", async () => {
    const known = [...images, image("b/é x.png"), image("c/00.png"), image("c/v1.2.png")]
    const text = `id,loss\n./a\\03.jpg,3\na/04,4\n05,5\nb/e\u0301 x,6\nc/00,7\nc/v1.2,8\n${rows(15, 6)}`
    const lossOf = new Map((await read(text, known)).map(({ image: { id }, loss }) => [id, loss]))
    expect(
      ["a/03.jpg", "a/04.jpg", "a/05.jpg", "b/é x.png", "c/00.png", "c/v1.2.png"].map((id) => lossOf.get(id)),
    ).toEqual([3, 4, 5, 6, 7, 8])
  })

  it.each([
    ["no file", undefined, "FILE_NOT_READ", /no such file/],
    ["an empty file", "", "BAD_LOSSES", /line 1: expected a header.*an empty file/],
    ["no header", rows(20), "BAD_LOSSES", /a\/00.jpg,0/],
    ["semicolons", "id;loss\n", "BAD_LOSSES", /got id;loss.*commas/],
    ["a missing id", `id,loss\n${rows(20)},3\n`, "BAD_LOSSES", /1 wrong: line 22 has no id/],
    ["a loss that is no number", `id,loss\na/01.jpg,high\n`, "BAD_LOSSES", /line 2 has the loss "high"/],
    ["a loss that is missing", `id,loss\na/01.jpg\n`, "BAD_LOSSES", /line 2 has the loss ""/],
    ["losses that are not finite", `id,loss\na/01.jpg,NaN\na/02.jpg,inf\na/03.jpg,Infinity\n`, "BAD_LOSSES", /3 wrong/],
    [
      "unknown ids",
      `id,loss\n${rows(20)}${"nobody,1\n".repeat(7)}`,
      "BAD_LOSSES",
      /7 wrong: "nobody" \(line 22\).*and 2 more.*a\/00.jpg or a\/00/,
    ],
    ["an image twice", `id,loss\na/01.jpg,1\na/02.jpg,1\na/01,2\n`, "BAD_LOSSES", /a\/01.jpg on lines 2 and 4/],
    ["too few", `id,loss\n${rows(19)}`, "TOO_FEW_LOSSES", /at least 20 images, got 19/],
    ["an open quote", `id,loss\n"a/01.jpg,1\n`, "BAD_CSV", /line 2: expected a quote/],
    ["text after a quote", `id,loss\n"a"b,1\n`, "BAD_CSV", /line 2.*got "b"/],
  ])("are refused: %s", async (_, text, code, message) => {
    const reading = text === undefined ? readLosses(file, images, "/i") : read(text)
    const error: Error = await reading.then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject({ code })
    expect(error.message).toMatch(message)
  })

  it("are refused where an id may mean two images", async () => {
    const known = [...images, image("a/01.png"), image("b/02.jpg")]
    await expect(read("id,loss\na/01,1\n", known)).rejects.toThrow(/a\/01.jpg or a\/01.png/)
    await expect(read("id,loss\n02,1\n", known)).rejects.toThrow(/a\/02.jpg or b\/02.jpg/)
  })

  it("counts lines inside quotes", async () => {
    await expect(read('id,loss,note\na/01.jpg,1,"two\nlines"\na/02.jpg,x,\n')).rejects.toThrow(
      /line 4 has the loss "x"/,
    )
  })
})
