import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../data-files.test-suite.ts"
import type { AnnotatedSet, AnnotationFormat, WrittenFormat } from "./annotated-set.ts"
import { testLog, vocObject, writeVocImage, writeVocSplit } from "./annotation-files.test-suite.ts"
import { readAnnotatedSet } from "./read-set.ts"
import { writeAnnotatedSet } from "./write-set.ts"
import { formatXml, parseXml } from "./xml.ts"

const read = (format: AnnotationFormat, path: string) => readAnnotatedSet(format, path, { log: testLog().log })

async function convert(set: AnnotatedSet, format: WrittenFormat) {
  const folder = join(temporaryFolder(), "out")
  const written = await writeAnnotatedSet(set, { format, folder })
  return { folder, ...written, set: await read(format, folder) }
}

/** Every file below a folder; XML as its tree, since white space between elements means nothing. */
function contents(folder: string): Record<string, unknown> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      const bytes = readFileSync(path)
      if (name.endsWith(".xml")) return [path.slice(folder.length), formatXml(parseXml(bytes))]
      if (name.endsWith(".json")) return [path.slice(folder.length), JSON.parse(bytes.toString())]
      return [path.slice(folder.length), bytes.toString("latin1")]
    }),
  )
}

/** What all formats know of a set. */
function plain({ images, splits, classNames }: AnnotatedSet) {
  const stem = (id: string) => id.replace(/^.*\//, "")
  return {
    classNames,
    images: images.map(({ id, objects }) => [stem(id), objects.map(({ className, box }) => [className, box])]),
    splits: [...splits].map(([name, ids]) => [name, ids.map(stem)]),
  }
}

async function vocFolder(): Promise<string> {
  const folder = temporaryFolder()
  const more = "<pose>Left</pose><truncated>1</truncated><difficult>1</difficult><mine x='1'>a &lt; b</mine>"
  await writeVocImage(folder, "a é", vocObject("dog", [1, 2.5, 11, 12.0], more) + vocObject("dog", ["x", 1, 2, 3]))
  await writeVocImage(folder, "b", "")
  await writeVocImage(folder, "c", vocObject("cat", [0, 0, "40.0", 30]) + vocObject("cat", [7, 7, 7, 7]))
  writeVocSplit(folder, "train", "b", "a é")
  writeVocSplit(folder, "trainval", "b", "a é", "c")
  writeVocSplit(folder, "val", "c")
  writeVocSplit(folder, "dog_train", "b -1")
  write(join(folder, "ImageSets/Layout/train.txt"), "b 1\n")
  return folder
}

async function cocoFolder(): Promise<string> {
  const folder = temporaryFolder()
  await writeImage(join(folder, "train/x y.png"), 40, 30)
  await writeImage(join(folder, "train/z.png"), 40, 30)
  const json = {
    info: { contributor: "someone" },
    licenses: [{ id: 1 }],
    images: [
      { id: 70, file_name: "z.png", width: 40, height: 30, license: 1 },
      { id: 9, file_name: "x y.png", width: 40, height: 30, date_captured: "now" },
    ],
    annotations: [
      {
        id: 5,
        image_id: 9,
        category_id: 90,
        bbox: [0.1, 0.7, 0.2, 3.3],
        area: 0.5,
        iscrowd: 0,
        segmentation: [[1, 2, 3, 4, 5, 6]],
        extra: { a: 1 },
      },
      {
        id: 4,
        image_id: 70,
        category_id: 2,
        bbox: [1, 1, 5, 6],
        area: 30,
        iscrowd: 1,
        segmentation: { counts: [1], size: [30, 40] },
      },
      { id: 6, image_id: 9, category_id: 2, bbox: [3, 3, 4, 5], area: 20, iscrowd: 0, segmentation: [] },
    ],
    categories: [
      { id: 90, name: "dog", supercategory: "animal" },
      { id: 2, name: "cat", supercategory: "animal" },
    ],
  }
  write(join(folder, "annotations/instances_train.json"), JSON.stringify(json))
  return folder
}

async function yoloFolder(): Promise<string> {
  const folder = temporaryFolder()
  write(join(folder, "data.yaml"), "# mine\ntrain: ../train/images\nval: valid.txt\nnames:\n  0: dog\n  1: cat\n")
  write(join(folder, "valid.txt"), "./valid/images/b.png\n")
  for (const image of ["train/images/a.png", "valid/images/b.png"]) await writeImage(join(folder, image), 37, 29)
  write(join(folder, "train/labels/a.txt"), "1 0.500000 0.3333333 0.1 0.2\n0 0.1 0.1 0.2 0.1 0.2 0.3\n")
  write(join(folder, "valid/labels/b.txt"), "")
  await writeImage(join(folder, "train/images/unlabelled.png"), 37, 29)
  return folder
}

async function peopleFolder(): Promise<string> {
  const folder = temporaryFolder()
  await writeImage(join(folder, "images/a.png"), 40, 30)
  const joints = ["nose", "left_hand", "right_hand"]
  const object = (id: number, category_id: number, keypoints?: readonly unknown[]) => ({
    id,
    image_id: 1,
    category_id,
    bbox: [2, 4, 20, 16],
    area: 320,
    iscrowd: 0,
    segmentation: [],
    ...(keypoints === undefined ? {} : { keypoints, num_keypoints: 2 }),
  })
  const json = {
    images: [{ id: 1, file_name: "a.png", width: 40, height: 30 }],
    annotations: [
      object(1, 1, [10, 1, 2, 4.1, 20, 1, 0, 0, 0]),
      object(2, 1, [0, 0, 0, 10, 7.5, 2, 41, 3, 2]),
      object(3, 1),
      { ...object(4, 2, [10, 1, 2, null, 4]), area: 200 },
    ],
    categories: [
      { id: 1, name: "person", keypoints: joints, skeleton: [[1, 2], [1, 3]] }, // biome-ignore format: short
      { id: 2, name: "dog", keypoints: ["nose", "tail"], skeleton: [] },
    ],
  }
  write(join(folder, "annotations/person_keypoints_train.json"), JSON.stringify(json))
  return folder
}

describe("writeAnnotatedSet", () => {
  for (const [format, make] of [
    ["voc", vocFolder],
    ["coco", cocoFolder],
    ["yolo", yoloFolder],
  ] as const) {
    it(`writes ${format} again as it was read`, async () => {
      const source = await make()
      const { folder, losses } = await convert(await read(format, source), format)
      expect(losses).toEqual([])
      expect(contents(folder)).toEqual(contents(source))
    })
  }

  it("writes PASCAL VOC's numbers as they were counted, also when boxes are new", async () => {
    const source = await vocFolder()
    const options = { log: testLog().log, origin: "one" } as const
    const set = await readAnnotatedSet("voc", source, options)
    const folder = join(temporaryFolder(), "out")
    await writeAnnotatedSet(set, { format: "voc", folder, origin: "one" })
    expect(contents(folder)).toEqual(contents(source))
    const stripped = {
      ...set,
      images: set.images.map(({ carried: _, ...image }) => ({
        ...image,
        objects: image.objects.map(({ carried: __, ...object }) => object),
      })),
    }
    const fresh = join(temporaryFolder(), "out")
    await writeAnnotatedSet(stripped, { format: "voc", folder: fresh, origin: "one" })
    expect(plain(await readAnnotatedSet("voc", fresh, options))).toEqual(plain(set))
  })

  it("changes only what was changed", async () => {
    const set = await read("coco", await cocoFolder())
    const moved = set.images.map((image) => ({
      ...image,
      objects: image.objects.slice(0, 1).map((object) => ({ ...object, box: [1, 2, 3, 5] as const, className: "cat" })),
    }))
    const { folder } = await convert({ ...set, images: moved }, "coco")
    const json = JSON.parse(readFileSync(join(folder, "annotations/instances_train.json"), "utf8"))
    expect(json.annotations[0]).toEqual({
      id: 5,
      image_id: 9,
      category_id: 2,
      bbox: [1, 2, 2, 3],
      area: 6,
      iscrowd: 0,
      segmentation: [[1, 2, 3, 4, 5, 6]],
      extra: { a: 1 },
    })
    expect(json.annotations).toHaveLength(2)
  })

  it("converts VOC to COCO and back without losing a box, a flag, a split or an image without objects", async () => {
    const voc = await read("voc", await vocFolder())
    const coco = await convert(voc, "coco")
    expect(plain(coco.set)).toEqual({ ...plain(voc), images: expect.arrayContaining(plain(voc).images) })
    expect(coco.set.images[0]?.objects ?? coco.set.images[1]?.objects).toBeDefined()
    expect(contents((await convert(coco.set, "coco")).folder)).toEqual(contents(coco.folder))
    const again = await convert(coco.set, "voc")
    expect(plain(again.set)).toEqual(plain(voc))
    const dog = again.set.images[0]?.objects[0]
    expect(dog).toMatchObject({ isDifficult: true, isTruncated: true, pose: "Left" })
    expect(coco.losses).toEqual([
      { what: "objects: mine", count: 1 },
      { what: "lists of single classes or other tasks", count: 2 },
    ])
  })

  it("says what YOLO has no place for, and clips or leaves out what it cannot hold", async () => {
    const folder = await vocFolder()
    await writeVocImage(folder, "d", vocObject("cat", [30, 20, 50, 25]))
    const { set, losses } = await convert(await read("voc", folder), "yolo")
    expect(losses).toEqual([
      { what: "objects: mine", count: 1 },
      { what: "lists of single classes or other tasks", count: 2 },
      { what: "objects: difficult", count: 1 },
      { what: "objects: truncated", count: 1 },
      { what: "objects: pose", count: 1 },
      { what: "objects: left out, without area inside the image", count: 1 },
      { what: "objects: what of their box lies outside the image", count: 1 },
    ])
    const boxes = plain(set).images.map(([, objects]) => objects)
    expect(boxes[0]).toEqual([["dog", [1, 2.5, 11, 12].map((value) => expect.closeTo(value, 9))]])
    expect(boxes[3]).toEqual([["cat", [30, 20, 40, 25].map((value) => expect.closeTo(value, 9))]])
    expect(plain(set).splits).toEqual([
      ["train", ["b.jpg", "a é.jpg"]],
      ["trainval", ["b.jpg", "a é.jpg", "c.jpg"]],
      ["val", ["c.jpg"]],
    ])
  })

  it("keeps joints on the way to YOLO and back, and tells what it lost", async () => {
    const folder = await peopleFolder()
    const coco = await read("coco", folder)
    const yolo = await convert(coco, "yolo")
    expect(yolo.losses).toEqual([
      { what: "skeletons: bones", count: 2 },
      { what: "objects: area of people, where it is not that of the box", count: 1 },
      { what: "objects: id of people", count: 3 },
      { what: "joints: outside the image", count: 1 },
      { what: "objects: joints that are not those of the first class with joints", count: 1 },
    ])
    const yaml = readFileSync(join(yolo.folder, "data.yaml"), "utf8")
    expect(yaml).toContain("kpt_shape:\n  - 3\n  - 3\nflip_idx:\n  - 0\n  - 2\n  - 1\n")
    expect(readFileSync(join(yolo.folder, "labels/train/a.txt"), "utf8").split("\n")).toEqual([
      "0 0.3 0.4 0.5 0.533333333333333 0.25 0.0333333333333333 2 0.1025 0.666666666666667 1 0 0 0",
      "0 0.3 0.4 0.5 0.533333333333333 0 0 0 0.25 0.25 2 0 0 0",
      "0 0.3 0.4 0.5 0.533333333333333 0 0 0 0 0 0 0 0 0",
      "1 0.3 0.4 0.5 0.533333333333333 0 0 0 0 0 0 0 0 0",
      "",
    ])
    const back = await convert(yolo.set, "coco")
    expect(back.losses).toEqual([])
    const json = JSON.parse(readFileSync(join(back.folder, "annotations/person_keypoints_train.json"), "utf8"))
    expect(json.annotations[0]).toMatchObject({ keypoints: [10, 1, 2, 4.1, 20, 1, 0, 0, 0], num_keypoints: 2 })
    expect(json.categories[0]).toMatchObject({ name: "person", keypoints: ["nose", "left_hand", "right_hand"] })
    const again = await convert(yolo.set, "yolo")
    expect(contents(again.folder)).toEqual(contents(yolo.folder))
    expect((await convert(coco, "voc")).losses).toContainEqual({ what: "objects: joints", count: 3 })
  })

  it("writes COCO's joints again as they stood, whatever is wrong with them", async () => {
    const folder = await peopleFolder()
    const { losses, folder: written } = await convert(await read("coco", folder), "coco")
    expect(losses).toEqual([])
    expect(contents(written)).toEqual(contents(folder))
  })

  it("tells pairs of joints that COCO's names cannot say", async () => {
    const folder = temporaryFolder()
    write(join(folder, "data.yaml"), "train: images\nnames: [cat]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n")
    await writeImage(join(folder, "images/a.png"), 40, 30)
    write(join(folder, "labels/a.txt"), "0 .5 .5 .5 .5 .1 .1 2 .2 .2 2\n")
    expect((await convert(await read("yolo", folder), "coco")).losses).toEqual([
      { what: "joints: pairs of left and right that names do not tell", count: 1 },
    ])
  })

  it("counts what it wrote, images that nobody can read and background among it", async () => {
    const folder = await vocFolder()
    rmSync(join(folder, "JPEGImages/b.jpg"))
    write(join(folder, "JPEGImages/c.jpg"), "no image")
    const voc = await read("voc", folder)
    const [yolo, coco] = [await convert(voc, "yolo"), await convert(voc, "coco")]
    expect(yolo).toMatchObject({ images: 2, boxes: 2 })
    expect(yolo.set.images.map(({ objects }) => objects.length)).toEqual([1, 0])
    expect(coco).toMatchObject({ images: 3, boxes: 3 })
    expect(coco.set.images.flatMap(({ objects }) => objects)).toHaveLength(3)
    expect(coco.losses).toContainEqual({
      what: "files of images: missing, so that only their annotation is written",
      count: 1,
    })
    const unlabelled = await convert(await read("yolo", await yoloFolder()), "coco")
    expect(unlabelled).toMatchObject({ images: 3, boxes: 2, losses: [] })
    expect(unlabelled.set.images.map(({ objects }) => objects.length).sort()).toEqual([0, 0, 2])
  })

  it("keeps images apart whose names differ only in their folders", async () => {
    const folder = temporaryFolder()
    for (const year of ["VOC2007", "VOC2012"]) {
      await writeVocImage(join(folder, year), "1", vocObject(year, [1, 1, 4, 4]))
      writeVocSplit(join(folder, year), "trainval", "1")
    }
    const voc = await read("voc", folder)
    const coco = await convert(voc, "coco")
    expect(coco.set.images.map(({ id }) => id)).toEqual(["images/VOC2007/1.jpg", "images/VOC2012/1.jpg"])
    const { set } = await convert(coco.set, "voc")
    expect(set.images.map(({ id, objects }) => [id, objects[0]?.className])).toEqual([
      ["JPEGImages/1.jpg", "VOC2007"],
      ["JPEGImages/VOC2012_1.jpg", "VOC2012"],
    ])
  })

  it("links images when asked, and copies them otherwise", async () => {
    const set = await read("yolo", await yoloFolder())
    const linked = join(temporaryFolder(), "out")
    await writeAnnotatedSet(set, { format: "coco", folder: linked, images: "link" })
    const source = set.images[0]?.path as string
    expect(statSync(join(linked, "images/train/a.png")).ino).toBe(statSync(source).ino)
    const { folder } = await convert(set, "coco")
    expect(statSync(join(folder, "images/train/a.png")).ino).not.toBe(statSync(source).ino)
  })

  it("leaves nothing behind when it fails, and touches no folder that holds something", async () => {
    const set = await read("voc", await vocFolder())
    const above = temporaryFolder()
    const folder = join(above, "out")
    const stopped = { format: "coco", folder, signal: AbortSignal.abort() } as const
    await expect(writeAnnotatedSet(set, stopped)).rejects.toThrow(/abort/)
    expect(readdirSync(above)).toEqual([])
    mkdirSync(folder)
    write(join(folder, "mine.txt"), "")
    await expect(writeAnnotatedSet(set, { format: "coco", folder })).rejects.toMatchObject({ code: "FOLDER_NOT_EMPTY" })
    expect(existsSync(join(folder, "mine.txt"))).toBe(true)
  })
})
