import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../data-files.test-suite.ts"
import type { AnnotatedSet } from "./annotated-set.ts"
import { testLog, vocObject, writeVocImage } from "./annotation-files.test-suite.ts"
import { usableObjects } from "./check-objects.ts"
import { readCocoSet } from "./coco/read-coco.ts"
import { readVocSet } from "./voc/read-voc.ts"
import { readYoloSet } from "./yolo/read-yolo.ts"

/** What checking the objects of a set tells, each object once. */
function checked({ images, classNames }: AnnotatedSet): readonly string[] {
  const { log, lines } = testLog()
  for (const image of images) usableObjects(image, classNames, log)
  return lines()
}

describe("usableObjects", () => {
  it("names an object of PASCAL VOC by its number in the file, with those that could not be read", async () => {
    const folder = temporaryFolder()
    await writeVocImage(folder, "a", vocObject("cat", ["z", 1, 2, 3]) + vocObject("cat", [5, 5, 5, 9]))
    const { log, lines } = testLog()
    const set = await readVocSet(folder, { log })
    expect(lines()).toEqual(['bad-coordinates: object 1: <xmin> is "z" and no number: box left out'])
    expect(checked(set)).toEqual(["zero-area: object 2 (cat): zero area [5, 5, 5, 9]: box left out"])
  })

  it("names an object of YOLO by its line", async () => {
    const folder = temporaryFolder()
    write(join(folder, "classes.txt"), "cat\n")
    await writeImage(join(folder, "images/a.png"), 40, 20)
    write(join(folder, "labels/a.txt"), "7 .5 .5 .5 .5\n\n0 .5 .5\n0 .5 .5 0 .5\n0 .5 .5 .5 .5\n")
    const { log, lines } = testLog()
    const set = await readYoloSet(folder, { log })
    expect(lines()).toEqual([
      'unknown-class: line 1: class "7" is none of the 1 classes: box left out',
      "unreadable-object: line 3: 3 numbers, neither a box nor a polygon: box left out",
    ])
    expect(checked(set)).toEqual(["zero-area: line 4 (cat): zero area [20, 5, 20, 15]: box left out"])
  })

  it("names an object of COCO by its place among all annotations of the file", async () => {
    const folder = temporaryFolder()
    for (const name of ["a.png", "b.png"]) await writeImage(join(folder, "images", name), 40, 30)
    const json = {
      images: ["a.png", "b.png"].map((file_name, id) => ({ id, file_name, width: 40, height: 30 })),
      annotations: [
        { id: 1, image_id: 0, category_id: 1, bbox: [1, 1, 5, 5] },
        { id: 2, image_id: 1, category_id: 1, bbox: [1, 1, 5] },
        { id: 3, image_id: 1, category_id: 1, bbox: [9, 9, -5, 5] },
      ],
      categories: [{ id: 1, name: "cat" }],
    }
    write(join(folder, "all.json"), JSON.stringify(json))
    expect(checked(await readCocoSet(folder, { log: testLog().log }))).toEqual([
      "zero-area: annotations[2] (cat): corners in the wrong order [9, 9, 4, 14]: box left out",
    ])
  })
})
