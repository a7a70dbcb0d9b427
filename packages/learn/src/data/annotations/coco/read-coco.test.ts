import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../../data-files.test-suite.ts"
import { testLog } from "../annotation-files.test-suite.ts"
import { readCocoSet } from "./read-coco.ts"

const categories = [
  { id: 18, name: "dog", supercategory: "animal" },
  { id: 3, name: "cat" },
]

async function images(folder: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) await writeImage(join(folder, name), 40, 30)
}

function writeJson(path: string, json: object): void {
  write(path, JSON.stringify(json))
}

const image = (id: number, file_name: string) => ({ id, file_name, width: 40, height: 30 })
const box = (id: number, image_id: number, category_id: number, bbox: readonly unknown[], more: object = {}) => ({
  id,
  image_id,
  category_id,
  bbox,
  ...more,
})

describe("readCocoSet", () => {
  it("reads ids that are not contiguous, images without annotations, crowds and what other formats left there", async () => {
    const folder = temporaryFolder()
    await images(folder, "train2017/a.png", "train2017/b.png")
    const more = { iscrowd: 1, area: 7.5, segmentation: { counts: [1, 2], size: [30, 40] }, difficult: 1, pose: "Left" }
    writeJson(join(folder, "annotations/instances_train2017.json"), {
      info: { year: 2017 },
      images: [image(9, "b.png"), image(4, "a.png")],
      annotations: [box(1, 4, 3, [1.5, 2, 10, 8.25], more)],
      categories,
    })
    writeJson(join(folder, "annotations/captions_train2017.json"), { images: [], annotations: [] })
    const { log, lines } = testLog()
    const set = await readCocoSet(folder, { log })
    expect(lines()).toEqual([])
    expect(set.classNames).toEqual(["dog", "cat"])
    expect([...set.splits]).toEqual([["train2017", ["train2017/b.png", "train2017/a.png"]]])
    expect(set.images.map(({ objects }) => objects.length)).toEqual([0, 1])
    expect(set.images[0]?.annotation).toMatch(/instances_train2017\.json \(b\.png\)$/)
    expect(set.images[1]?.objects[0]).toMatchObject({
      className: "cat",
      box: [1.5, 2, 11.5, 10.25],
      isCrowd: true,
      isDifficult: true,
      area: 7.5,
      pose: "Left",
    })
  })

  it("reads one file by its path, and a folder for each split as Roboflow writes them", async () => {
    const folder = temporaryFolder()
    for (const split of ["train", "valid"]) {
      await images(folder, `${split}/a.png`)
      const json = { images: [image(0, "a.png")], annotations: [box(0, 0, 3, [1, 1, 2, 2])], categories }
      writeJson(join(folder, split, "_annotations.coco.json"), json)
    }
    const both = await readCocoSet(folder, { log: testLog().log })
    expect([...both.splits]).toEqual([
      ["train", ["train/a.png"]],
      ["valid", ["valid/a.png"]],
    ])
    const one = await readCocoSet(join(folder, "valid/_annotations.coco.json"), { log: testLog().log })
    expect(one.images.map(({ id, objects }) => [id, objects.length])).toEqual([["a.png", 1]])
  })

  it("takes an image once that several files list", async () => {
    const folder = temporaryFolder()
    await images(folder, "images/a.png", "images/b.png")
    for (const [split, left] of [
      ["all", 1],
      ["part", 1],
      ["other", 2],
    ] as const) {
      const listed = split === "all" ? [image(1, "a.png"), image(2, "b.png")] : [image(1, "a.png")]
      const json = { images: listed, annotations: [box(1, 1, 3, [left, 1, 2, 2])], categories }
      writeJson(join(folder, `annotations/instances_${split}.json`), json)
    }
    const { log, lines } = testLog()
    const set = await readCocoSet(folder, { log })
    expect(set.images.length).toBe(2)
    expect(set.splits.get("part")).toEqual(["images/a.png"])
    expect(lines()).toEqual([
      "duplicate-image: images/a.png is listed more than once, with different objects: image left out",
    ])
  })

  it("leaves out an image that two files list with different joints", async () => {
    const folder = temporaryFolder()
    await images(folder, "images/a.png", "images/b.png")
    const people = [{ id: 1, name: "person", keypoints: ["nose"] }]
    for (const [split, x] of [
      ["all", 5],
      ["part", 6],
    ] as const) {
      const annotations = [
        box(1, 1, 1, [1, 1, 9, 9], { keypoints: [x, 4, 2] }),
        box(2, 2, 1, [1, 1, 9, 9], { keypoints: [3, 4, 2] }),
      ]
      const json = { images: [image(1, "a.png"), image(2, "b.png")], annotations, categories: people }
      writeJson(join(folder, `annotations/person_keypoints_${split}.json`), json)
    }
    const { log, lines } = testLog()
    await readCocoSet(folder, { log })
    expect(lines()).toEqual([
      "duplicate-image: images/a.png is listed more than once, with different objects: image left out",
    ])
  })

  it("leaves out images that share an id, but reads one once that is listed twice", async () => {
    const folder = temporaryFolder()
    await images(folder, "a.png", "b.png", "c.png", "d.png")
    const listed = [image(1, "a.png"), image(2, "b.png"), image(1, "c.png"), image(1, "d.png"), image(2, "b.png")]
    const annotations = [box(1, 1, 3, [1, 1, 2, 2]), box(2, 2, 3, [1, 1, 2, 2])]
    writeJson(join(folder, "all.json"), { images: listed, annotations, categories })
    const { log, lines } = testLog()
    const set = await readCocoSet(join(folder, "all.json"), { log })
    expect(lines()).toEqual([
      "duplicate-image: b.png is listed more than once with the id 2: read once",
      "duplicate-image: a.png has the same id 1 as c.png, d.png: image left out",
      "duplicate-image: c.png has the same id 1 as a.png: image left out",
      "duplicate-image: d.png has the same id 1 as a.png: image left out",
    ])
    expect([...log.spoiled].sort()).toEqual(["a.png", "c.png", "d.png"])
    expect(set.images.map(({ id, objects }) => [id, objects.length])).toEqual([
      ["a.png", 1],
      ["b.png", 1],
      ["c.png", 0],
      ["d.png", 0],
    ])
  })

  it("tells each entry that cannot be used, and reads the rest", async () => {
    const folder = temporaryFolder()
    await images(folder, "images/a.png", "images/b.png")
    const deep = Array.from({ length: 20 }).reduce<unknown[]>((inner) => [inner], [])
    writeJson(join(folder, "all.json"), {
      images: [
        image(1, "a.png"),
        image(1, "b.png"),
        image(2, "../../secret.png"),
        { ...image(3, "b.png"), width: 30, height: 40 },
        image(4, "gone.png"),
        { id: 5 },
        { ...image(6, "a.png"), width: 0 },
      ],
      annotations: [
        box(1, 1, 3, [1, 1, "2", 2]),
        box(2, 1, 99, [1, 1, 2, 2]),
        box(3, 77, 3, [1, 1, 2, 2]),
        box(4, 1, 3, [1, 1, 2]),
        box(5, 1, 3, [1, 1, 2, 2]),
        "box",
        box(6, 1, 3, [1, 1, 2, 2], { segmentation: deep }),
      ],
      categories,
    })
    const { log, lines } = testLog()
    const set = await readCocoSet(join(folder, "all.json"), { log })
    expect(set.images[0]?.objects.map(({ box: corners }) => corners)).toEqual([[1, 1, 3, 3]])
    expect(lines()).toEqual([
      "unreadable-annotation: images[5] lacks an id or a file_name: image left out",
      "other-image: annotations[2] names no image of the file: box left out",
      "other-image: annotations[5] names no image of the file: box left out",
      "unreadable-annotation: annotations[6] nests too deep: box left out",
      "duplicate-image: a.png has the same id 1 as b.png: image left out",
      'bad-coordinates: annotations[0]: bbox [1,1,"2",2] is not four numbers: box left out',
      "unknown-class: annotations[1]: category_id 99 is in no category: box left out",
      "bad-coordinates: annotations[3]: bbox [1,1,2] is not four numbers: box left out",
      "duplicate-image: b.png has the same id 1 as a.png: image left out",
      'unsafe-path: file_name "../../secret.png" leads out of the folder, and is not followed: image left out',
      "wrong-size: width and height of 30x40, the image has 40x30: image left out",
      "missing-image: no image gone.png: image left out",
      "size-zero: width and height of 0x30: the image's own is taken",
      "duplicate-image: images/a.png is listed more than once, with different objects: image left out",
    ])
  })

  it("refuses what is no JSON, has no lists, or names a category in two ways", async () => {
    const folder = temporaryFolder()
    const read = () => readCocoSet(folder, { log: testLog().log })
    await expect(read()).rejects.toMatchObject({ code: "NO_ANNOTATIONS" })
    write(join(folder, "instances_a.json"), '{"images": [')
    await expect(read()).rejects.toMatchObject({ code: "BAD_JSON" })
    writeJson(join(folder, "instances_a.json"), { images: [], annotations: [] })
    await expect(read()).rejects.toThrow(/lists images, annotations and categories, got an object with images, annot/)
    for (const [text, got] of [
      ["[]", /categories, got \[\]/],
      ["null", /categories, got null/],
      ["{}", /categories, got an object with nothing in it/],
    ] as const) {
      write(join(folder, "instances_a.json"), text)
      await expect(read()).rejects.toThrow(got)
    }
    writeJson(join(folder, "instances_a.json"), { images: [], annotations: [], categories })
    writeJson(join(folder, "instances_b.json"), { images: [], annotations: [], categories: [{ id: 3, name: "cow" }] })
    await expect(read()).rejects.toThrow(/category 3 to be "cat", as in the other files, got "cow".* one at a time/s)
    const twice = [...categories, { id: 18, name: "cow" }]
    writeJson(join(folder, "instances_a.json"), { images: [], annotations: [], categories: twice })
    await expect(read()).rejects.toThrow(
      /category 18 to be "dog", as before in this file, got "cow" in categories\[2\].* an id of its own/s,
    )
  })

  it("tells a category without a name, and the objects of it, and reads the others", async () => {
    const folder = temporaryFolder()
    await images(folder, "images/a.png")
    writeJson(join(folder, "instances_a.json"), {
      images: [image(1, "a.png")],
      annotations: [box(1, 1, 7, [1, 1, 2, 2]), box(2, 1, 3, [1, 1, 2, 2])],
      categories: [{ id: 7 }, ...categories],
    })
    const { log, lines } = testLog()
    const set = await readCocoSet(folder, { log })
    expect(set.images[0]?.objects).toMatchObject([{ className: "cat", place: "annotations[1]" }])
    expect(lines()).toEqual([
      "unknown-class: categories[0] lacks an id or a name: it has no objects",
      "unknown-class: annotations[0]: category_id 7 is in no category: box left out",
    ])
  })
})
