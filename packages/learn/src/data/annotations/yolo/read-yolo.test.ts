import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../../data-files.test-suite.ts"
import { testLog } from "../annotation-files.test-suite.ts"
import { labelPath } from "./find-yolo.ts"
import { readYoloSet } from "./read-yolo.ts"

async function writeYolo(folder: string, labels: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [image, text] of Object.entries(labels)) {
    await writeImage(join(folder, image), 40, 20)
    if (text !== null) write(join(folder, labelPath(image)), text)
  }
}

describe("readYoloSet", () => {
  it("reads boxes, polygons, scores and empty files, by data.yaml with a map of names", async () => {
    const folder = temporaryFolder()
    write(
      join(folder, "data.yaml"),
      "path: ../datasets/pets\ntrain: images/train\nval: ../images/val\nnames: {0: cat, 1: big dog}\n",
    )
    await writeYolo(folder, {
      "images/train/a.png": "1 0.5 0.5 0.25 0.5\n0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n\n",
      "images/train/b.png": "",
      "images/val/c.png": "0 0.5 0.5 1 1 0.9\r\n",
    })
    const { log, lines } = testLog()
    const set = await readYoloSet(folder, { log })
    expect(lines()).toEqual([])
    expect(set.classNames).toEqual(["cat", "big dog"])
    expect([...set.splits]).toEqual([
      ["train", ["images/train/a.png", "images/train/b.png"]],
      ["val", ["images/val/c.png"]],
    ])
    const [first, second, third] = set.images
    expect(first?.objects).toMatchObject([
      { className: "big dog", box: [15, 5, 25, 15] },
      { className: "cat", box: [4, 4, 12, 12], segmentation: [[4, 4, 12, 4, 12, 12, 4, 12]] },
    ])
    expect(second).toMatchObject({ objects: [], annotation: join(folder, "labels/train/b.txt") })
    expect(third?.objects).toMatchObject([{ box: [0, 0, 40, 20] }])
  })

  it("reads folders of splits, lists of images, and images/ with classes.txt", async () => {
    const roboflow = temporaryFolder()
    write(join(roboflow, "data.yaml"), "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['cat']\n")
    await writeYolo(roboflow, { "train/images/a.png": "0 .5 .5 .5 .5", "valid/images/b.png": "0 .5 .5 .5 .5" })
    const first = await readYoloSet(roboflow, { log: testLog().log })
    expect([...first.splits]).toEqual([
      ["train", ["train/images/a.png"]],
      ["val", ["valid/images/b.png"]],
    ])
    const listed = temporaryFolder()
    write(join(listed, "data.yaml"), "train: [train.txt]\nnames: [cat]\n")
    write(join(listed, "train.txt"), "./images/b.png\n../../secret.png\n")
    await writeYolo(listed, { "images/a.png": "", "images/b.png": "" })
    const { log, lines } = testLog()
    const second = await readYoloSet(join(listed, "data.yaml"), { log })
    expect([...second.splits]).toEqual([["train", ["images/b.png"]]])
    expect(second.images.length).toBe(2)
    expect(lines()).toEqual(['unsafe-path: "../../secret.png" is no image inside this folder: image left out'])
    const plain = temporaryFolder()
    write(join(plain, "classes.txt"), "cat\ndog\n")
    await writeYolo(plain, { "images/a.png": "1 .5 .5 .5 .5" })
    const third = await readYoloSet(plain, { log: testLog().log })
    expect([third.splits.size, third.images[0]?.objects[0]?.className]).toEqual([0, "dog"])
  })

  it("reads joints after the box as no polygon where the YAML file gives their shape", async () => {
    const folder = temporaryFolder()
    const yaml = "train: images\nnames: [cat, dog]\nkpt_names: {0: [nose, paw-r, paw-l], 1: [snout, pr, pl]}\n"
    write(join(folder, "data.yaml"), `${yaml}kpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n`)
    const lines = [
      "0 .5 .5 .5 .5 .1 .1 2 0 0 0 0.25 0.5 1.0",
      "1 .5 .5 .5 .5",
      "0 .5 .5 .5 .5 .1 .1 2 .1 .1 2 .1 .1 2 .1",
    ]
    await writeYolo(folder, { "images/a.png": lines.join("\n") })
    const { log, lines: told } = testLog()
    const { images, skeletons } = await readYoloSet(folder, { log })
    expect(images[0]?.objects).toMatchObject([{ box: [10, 5, 30, 15] }, { className: "dog" }])
    expect(images[0]?.objects[0]).not.toHaveProperty("segmentation")
    expect(images[0]?.objects[1]).not.toHaveProperty("joints")
    expect(images[0]?.objects[0]?.joints).toEqual([
      { x: 4, y: 2, visibility: 2 },
      { x: 0, y: 0, visibility: 0 },
      { x: 10, y: 10, visibility: 1 },
    ])
    expect(skeletons.get("cat")).toEqual({ names: ["nose", "paw-r", "paw-l"], bones: [], pairs: [[2, 1]] })
    expect(skeletons.get("dog")).toMatchObject({ names: ["snout", "pr", "pl"], pairs: [[1, 2]] })
    expect(told()).toEqual(["wrong-joint-count: line 3: 10 numbers after the box, not 9: box left out"])
  })

  it("takes joints without a visibility for seen, but for those at 0, 0 or below it", async () => {
    const folder = temporaryFolder()
    write(join(folder, "data.yaml"), "train: images\nnames: [cat]\nkpt_shape: [3, 2]\n")
    await writeYolo(folder, { "images/a.png": "0 .5 .5 .5 .5 .1 .1 0 0 -1 -1" })
    const { log, lines } = testLog()
    const { images, skeletons } = await readYoloSet(folder, { log })
    expect(images[0]?.objects[0]?.joints?.map(({ visibility }) => visibility)).toEqual([2, 0, 0])
    expect(skeletons.get("cat")?.names).toEqual(["joint-0", "joint-1", "joint-2"])
    expect(lines()).toEqual([
      "unpaired-names: neither flip_idx nor names tell left from right, so pictures are not mirrored",
    ])
  })

  it("names 17 joints that change places as COCO's do like them", async () => {
    const folder = temporaryFolder()
    const flip = "[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]"
    write(join(folder, "data.yaml"), `train: images\nnames: [person]\nkpt_shape: [17, 3]\nflip_idx: ${flip}\n`)
    await writeYolo(folder, { "images/a.png": "" })
    const { skeletons } = await readYoloSet(folder, { log: testLog().log })
    const { names, bones, pairs } = skeletons.get("person") ?? { names: [], bones: [], pairs: [] }
    expect(names.slice(0, 7)).toEqual([
      "nose",
      "left_eye",
      "right_eye",
      "left_ear",
      "right_ear",
      "left_shoulder",
      "right_shoulder",
    ])
    expect([names.length, bones.length, pairs.length, pairs[7]]).toEqual([17, 19, 8, [15, 16]])
  })

  it.each([
    ["kpt_shape: [3, 4]", "kpt_shape is not a number of joints and 2 or 3: joints are not read"],
    ["kpt_shape: [1000000000, 3]", "kpt_shape is not a number of joints and 2 or 3: joints are not read"],
    ["kpt_shape: 3", "kpt_shape is not a number of joints and 2 or 3: joints are not read"],
    [
      "kpt_shape: [2, 3]\nkpt_names: {0: [a_left, a_right]}\nflip_idx: [0, 7]",
      "flip_idx does not exchange 2 joints: left and right are told by the names",
    ],
    ["kpt_shape: [2, 3]\nkpt_names: {0: [left_paw, nose]}", "left/right names unpaired: left_paw"],
  ])("tells %s", async (yaml, told) => {
    const folder = temporaryFolder()
    write(join(folder, "data.yaml"), `train: images\nnames: [cat]\n${yaml}\n`)
    await writeYolo(folder, { "images/a.png": "" })
    const { log, lines } = testLog()
    await readYoloSet(folder, { log })
    expect(lines().map((line) => line.replace(/^[a-z-]+: /, ""))).toEqual([told])
  })

  it("tells each line and file that cannot be used, and reads the rest", async () => {
    const folder = temporaryFolder()
    write(join(folder, "data.yaml"), "train: images\ntest: nowhere\nnames: [cat]\n")
    await writeYolo(folder, {
      "images/a.png": "0 .5 .5 .5 .5\n1 .5 .5 .5 .5\n0 x .5 .5 .5\n0 .5 .5 .5\n-1 .5 .5 .5 .5\n0 nan .5 .5 .5",
      "images/b.jpg": "",
      "images/b.png": "",
      "images/c.png": null,
      "images/d.png": null,
    })
    write(join(folder, "labels/lonely.txt"), "")
    const { log, lines } = testLog()
    const { images } = await readYoloSet(folder, { log })
    expect(images.map(({ objects }) => objects.length)).toEqual([1, 0, 0, 0, 0])
    expect([...log.spoiled]).not.toContain("images/c.png")
    expect(lines()).toEqual([
      "missing-image: test: nowhere is no folder or list inside this folder",
      'unknown-class: line 2: class "1" is none of the 1 classes: box left out',
      'bad-coordinates: line 3: "x" is no number: box left out',
      "unreadable-object: line 4: 4 numbers, neither a box nor a polygon: box left out",
      'unknown-class: line 5: class "-1" is none of the 1 classes: box left out',
      'bad-coordinates: line 6: "nan" is no number: box left out',
      "duplicate-stem: could belong to any of images/b.jpg, images/b.png: image left out",
      "duplicate-stem: could belong to any of images/b.jpg, images/b.png: image left out",
      "missing-annotation: 2 images have no label file (images/c.png): taken for background, without objects",
      "missing-image: belongs to no image: image left out",
    ])
  })

  it("refuses a folder without classes or images, and YAML that is none or expands", async () => {
    const folder = temporaryFolder()
    const read = () => readYoloSet(folder, { log: testLog().log })
    await expect(read()).rejects.toMatchObject({ code: "NO_ANNOTATIONS" })
    await writeYolo(folder, { "images/a.png": "" })
    await expect(read()).rejects.toMatchObject({ code: "NO_CLASS_NAMES" })
    write(join(folder, "data.yaml"), "train: images\nnames: {0: cat, 2: dog}\n")
    await expect(read()).rejects.toMatchObject({ code: "NO_CLASS_NAMES" })
    write(join(folder, "data.yaml"), "a: &a [x]\nnames: *a\n")
    await expect(read()).rejects.toMatchObject({ code: "BAD_YAML" })
    write(join(folder, "data.yaml"), "names: [cat")
    await expect(read()).rejects.toMatchObject({ code: "BAD_YAML" })
  })
})
