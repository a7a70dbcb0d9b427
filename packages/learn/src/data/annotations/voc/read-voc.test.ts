import { join } from "node:path"
import { crc32 } from "node:zlib"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../../data-files.test-suite.ts"
import { testLog, vocObject, writeVocImage, writeVocSplit, writeVocXml } from "../annotation-files.test-suite.ts"
import { readVocSet } from "./read-voc.ts"

/** The folder of a real data set of blood cells. */
const bccd = process.env.LEARNLOSS_BCCD

describe("readVocSet", () => {
  it("reads one object or many, with what each says of itself, and no parts", async () => {
    const folder = temporaryFolder()
    const part = `<part><name>head</name>${"<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox>"}</part>`
    const flags = "<pose>Left</pose><truncated>1</truncated><difficult>1</difficult>"
    await writeVocImage(
      folder,
      "one",
      vocObject("dog", [1, 2, 11, 22.5], flags).replace("</object>", `${part}</object>`),
    )
    await writeVocImage(folder, "two", vocObject("cat", [0, 0, 4, 4]) + vocObject("a &amp; b", [5, 5, 9, 9]))
    await writeVocImage(folder, "none", "")
    writeVocSplit(folder, "train", "two", "one")
    writeVocSplit(folder, "dog_train", "one  1", "two -1")
    const { log, lines } = testLog()
    const set = await readVocSet(folder, { log })
    expect(lines()).toEqual([])
    expect(set.classNames).toEqual(["a & b", "cat", "dog"])
    expect(set.images.map(({ id }) => id)).toEqual(["none", "one", "two"].map((stem) => `JPEGImages/${stem}.jpg`))
    expect(set.images.map(({ objects }) => objects.length)).toEqual([0, 1, 2])
    expect(set.images[1]).toMatchObject({
      width: 40,
      height: 30,
      objects: [{ className: "dog", box: [1, 2, 11, 22.5], isDifficult: true, isTruncated: true, pose: "Left" }],
    })
    expect([...set.splits]).toEqual([["train", ["JPEGImages/two.jpg", "JPEGImages/one.jpg"]]])
  })

  it("takes the first and last pixel, counted from 1, when told so", async () => {
    const folder = temporaryFolder()
    await writeVocImage(folder, "a", vocObject("dog", [1, 1, 40, 30]))
    const set = await readVocSet(folder, { log: testLog().log, origin: "one" })
    expect(set.images[0]?.objects[0]?.box).toEqual([0, 0, 40, 30])
  })

  it("reads several years below VOCdevkit, their splits apart and together", async () => {
    const folder = temporaryFolder()
    for (const year of ["VOC2007", "VOC2012"]) {
      const root = join(folder, "VOCdevkit", year)
      await writeVocImage(root, "000001", vocObject("dog", [1, 1, 4, 4]))
      writeVocSplit(root, "trainval", "000001")
    }
    const set = await readVocSet(folder, { log: testLog().log })
    const ids = ["VOCdevkit/VOC2007/JPEGImages/000001.jpg", "VOCdevkit/VOC2012/JPEGImages/000001.jpg"]
    expect(set.images.map(({ id }) => id)).toEqual(ids)
    expect(set.splits.get("trainval")).toEqual(ids)
    expect(set.splits.get("VOCdevkit/VOC2012/trainval")).toEqual(ids.slice(1))
  })

  it("keeps images and annotations that lack each other, and says so", async () => {
    const folder = temporaryFolder()
    await writeImage(join(folder, "JPEGImages", "alone.jpg"), 40, 30)
    writeVocXml(folder, "gone", vocObject("dog", [1, 1, 4, 4]))
    writeVocSplit(folder, "train", "alone", "gone", "neither", "../../secret", "alone")
    const { log, lines } = testLog()
    const { images } = await readVocSet(folder, { log })
    expect(images).toMatchObject([
      { id: "JPEGImages/alone.jpg", annotation: null, objects: [] },
      { id: "JPEGImages/gone.jpg", path: null, objects: [{ className: "dog" }] },
    ])
    expect(lines()).toEqual([
      "missing-annotation: no Annotations/alone.xml: image left out",
      "missing-image: no image JPEGImages/gone.*: image left out",
      'missing-image: "neither" has neither image nor annotation: image left out',
      'unsafe-path: "../../secret" is a path, and not followed: image left out',
      'duplicate-image: "alone" stands twice: taken once',
    ])
  })

  it("tells each object and each file that cannot be read, and reads the rest", async () => {
    const folder = temporaryFolder()
    const good = vocObject("dog", [1, 1, 4, 4])
    await writeVocImage(folder, "a", `${vocObject("dog", ["x", 1, 2, 3])}${good}<object><name>dog</name></object>`)
    await writeVocImage(folder, "b", good)
    write(join(folder, "Annotations", "b.xml"), '<!DOCTYPE a [<!ENTITY e "e">]><annotation>&e;</annotation>')
    await writeVocImage(folder, "c", good)
    write(join(folder, "Annotations", "c.xml"), "<html></html>")
    await writeImage(join(folder, "JPEGImages", "d.png"), 40, 30)
    write(join(folder, "Annotations", "d.xml"), "<html></html>")
    const { log, lines } = testLog()
    const { images } = await readVocSet(folder, { log })
    expect(images.map(({ objects }) => objects.length)).toEqual([1, 0, 0, 0])
    expect(lines()).toEqual([
      'bad-coordinates: object 1: <xmin> is "x" and no number: box left out',
      "unreadable-object: object 3: no <bndbox>: box left out",
      "unreadable-annotation: has a DOCTYPE or ENTITY, which annotations have no use for: image left out",
      "unreadable-annotation: <html> and not <annotation>: image left out",
      "unreadable-annotation: <html> and not <annotation>: image left out",
    ])
    expect([...log.spoiled]).toEqual(["JPEGImages/b.jpg", "JPEGImages/c.jpg", "JPEGImages/d.png"])
  })

  it("compares the size with the image's own, turned as its EXIF orientation says", async () => {
    const folder = temporaryFolder()
    for (const stem of ["other", "turned", "zero"]) await writeVocImage(folder, stem, vocObject("dog", [1, 1, 4, 4]))
    writeVocXml(folder, "other", "", [41, 30])
    writeVocXml(folder, "zero", "", [0, 0])
    const upright = sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
    await upright.withMetadata({ orientation: 6 }).toFile(join(folder, "JPEGImages", "turned.jpg"))
    const { log, lines } = testLog()
    const { images } = await readVocSet(folder, { log })
    expect(lines()).toEqual([
      "wrong-size: <size> of 41x30, the image has 40x30: image left out",
      "wrong-size: <size> of 40x30, the image has 30x40, annotated before its EXIF orientation turns it: image left out",
      "size-zero: <size> of 0x0: the image's own is taken",
    ])
    expect(images[2]).toMatchObject({ width: 40, height: 30 })
  })

  it("tells apart what could belong to two images, or says it belongs to another", async () => {
    const folder = temporaryFolder()
    for (const stem of ["a", "b", "c"]) await writeVocImage(folder, stem, "")
    await writeImage(join(folder, "JPEGImages", "a.png"), 40, 30)
    const named = (name: string) => `<annotation><filename>${name}</filename></annotation>`
    write(join(folder, "Annotations", "b.xml"), named("c.jpg"))
    write(join(folder, "Annotations", "c.xml"), named("../../c.jpg"))
    const { log, lines } = testLog()
    await readVocSet(folder, { log })
    expect(lines()).toEqual([
      "duplicate-stem: belongs to one of a.jpg, a.png: to a.jpg, as it says",
      "other-image: <filename> says c.jpg, another image of the folder: image left out",
      'unsafe-path: <filename> "../../c.jpg" is a path, and not followed',
    ])
  })

  it("notes grey, CMYK and 16-bit images, and leaves out what is none, too large or, when decoding, damaged", async () => {
    const folder = temporaryFolder()
    const image = (stem: string, extension = "png") => join(folder, "JPEGImages", `${stem}.${extension}`)
    const red = () => sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
    for (const stem of ["cmyk", "cut", "deep", "grey", "huge", "none"]) writeVocXml(folder, stem, "")
    await writeImage(image("none"), 1, 1)
    write(image("none"), "no image")
    await red().toColourspace("cmyk").jpeg().toFile(image("cmyk", "jpg"))
    await red().toColourspace("rgb16").png().toFile(image("deep"))
    await red().greyscale().toColourspace("b-w").png().toFile(image("grey"))
    write(image("cut", "jpg"), (await red().resize(400, 300).jpeg().toBuffer()).subarray(0, 700))
    write(image("huge"), withSize(await red().png().toBuffer(), 20_000, 20_000))
    const { log, lines } = testLog()
    writeVocXml(folder, "cut", "", [400, 300])
    await readVocSet(folder, { log, decodes: true })
    expect(lines().map((line) => line.replace(/(damaged:).*(: image)/, "$1 so$2"))).toEqual([
      "cmyk-image: a CMYK image: read as RGB",
      "damaged-image: damaged: so: image left out",
      "deep-image: more than 8 bits a channel: read with 8",
      "grey-image: a grey image: read as RGB",
      "oversized-image: 20000x20000 pixels, more than the 268 million that are read: image left out",
      "unreadable-image: Input file contains unsupported image format: image left out",
    ])
  })

  it("says what it looked for when there is nothing", async () => {
    await expect(readVocSet(temporaryFolder(), { log: testLog().log })).rejects.toThrow(/Give the folder that holds/)
    await expect(readVocSet("/nowhere", { log: testLog().log })).rejects.toThrow(/no such folder/)
  })

  it.skipIf(bccd === undefined)("reads all of BCCD (skipped unless LEARNLOSS_BCCD names its folder)", async () => {
    const { log, lines } = testLog()
    const { images, classNames, splits } = await readVocSet(bccd as string, { log })
    expect(lines()).toEqual([])
    expect(classNames).toEqual(["Platelets", "RBC", "WBC"])
    expect(images.length).toBe(364)
    expect(images.flatMap(({ objects }) => objects).length).toBe(4888)
    expect([...splits].map(([name, ids]) => [name, ids.length])).toEqual(
      Object.entries({ test: 72, train: 205, trainval: 292, val: 87 }),
    )
  })
})

/** A PNG whose header claims another size. */
function withSize(png: Uint8Array, width: number, height: number): Uint8Array {
  const changed = Buffer.from(png)
  changed.writeUInt32BE(width, 16)
  changed.writeUInt32BE(height, 20)
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29)
  return changed
}
