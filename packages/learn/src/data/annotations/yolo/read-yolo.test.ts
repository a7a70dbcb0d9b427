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

  it("reads key points after the box as no polygon where the YAML file gives their shape", async () => {
    const folder = temporaryFolder()
    write(join(folder, "data.yaml"), "train: images\nnames: [person]\nkpt_shape: [2, 3]\n")
    await writeYolo(folder, { "images/a.png": "0 .5 .5 .5 .5 .1 .1 2 0 0 0" })
    const { images } = await readYoloSet(folder, { log: testLog().log })
    expect(images[0]?.objects).toMatchObject([{ box: [10, 5, 30, 15] }])
    expect(images[0]?.objects[0]).not.toHaveProperty("segmentation")
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
