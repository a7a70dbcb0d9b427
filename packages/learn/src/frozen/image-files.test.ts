import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { listImageFiles } from "./image-files.ts"

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "learnloss-list-")))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(root, name, ".."), { recursive: true })
    writeFileSync(join(root, name), "")
  }
}

describe("the images of a folder", () => {
  it("are all that lie below it, by id in code point order, without what is hidden or no image", async () => {
    put("in/b.JPG", "in/a/2.webp", "in/a/10.png", "in/é.jpeg", "in/.x.png", "in/.git/1.png", "in/1.xml", "in/2.tif")
    const { images, unreadFormats } = await listImageFiles(join(root, "in"), "--pool")
    expect(images.map(({ id }) => id)).toEqual(["a/10.png", "a/2.webp", "b.JPG", "é.jpeg"])
    expect(images[0]).toMatchObject({ path: join(root, "in/a/10.png"), realPath: join(root, "in/a/10.png") })
    expect(unreadFormats).toBe(1)
  })

  it("follow symbolic links once and are known by their real path", async () => {
    put("elsewhere/1.png", "elsewhere/2.png", "in/3.png")
    symlinkSync(join(root, "elsewhere"), join(root, "in/more"))
    symlinkSync(join(root, "in"), join(root, "in/loop"))
    symlinkSync(join(root, "nowhere"), join(root, "in/broken.png"))
    symlinkSync(join(root, "elsewhere/2.png"), join(root, "in/link.png"))
    const { images } = await listImageFiles(join(root, "in"), "--pool")
    expect(images.map(({ id, realPath }) => [id, realPath.slice(root.length + 1)])).toEqual([
      ["3.png", "in/3.png"],
      ["link.png", "elsewhere/2.png"],
      ["more/1.png", "elsewhere/1.png"],
      ["more/2.png", "elsewhere/2.png"],
    ])
  })

  it("have to be there", async () => {
    put("file", "none/1.txt", "tiff/1.tif")
    const list = (name: string) => listImageFiles(join(root, name), "--pool")
    await expect(list("missing")).rejects.toThrow(/--pool .*missing: expected a folder of images, got no such folder/)
    await expect(list("file")).rejects.toThrow(/got a file/)
    await expect(list("none")).rejects.toThrow(expect.objectContaining({ code: "NO_IMAGES" }))
    await expect(list("tiff")).rejects.toThrow(/1 of other formats.*Convert/)
  })
})
