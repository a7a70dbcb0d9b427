import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { readPeople as readPeopleAbove } from "./people-file.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-people-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function fileWith(content: unknown): string {
  const file = join(root, `${Math.random()}.json`)
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
  return file
}

const readPeople = (file: string) => readPeopleAbove(file, 0.3)
const size = { width: 100, height: 130 }

test("people of a COCO file are found by path, from the file's own folder, or by name", () => {
  const people = readPeople(
    fileWith({
      images: [
        { id: 7, file_name: "photos/a.jpg" },
        { id: 8, file_name: "b.jpg" },
      ],
      categories: [
        { id: 3, name: "dog" },
        { id: 5, name: "person" },
      ],
      annotations: [
        { image_id: 7, category_id: 5, bbox: [10, 20, 40, 100] },
        { image_id: 7, category_id: 3, bbox: [0, 0, 9, 9] },
        { image_id: 7, category_id: 5, bbox: [1, 2, 3, 4], iscrowd: 1 },
        { image_id: 8, category_id: 5, bbox: [1, 2, 3, 4], score: 0.9 },
        { image_id: 8, category_id: 5, bbox: [1, 2, 3, 4], score: 0.1 },
        { image_id: 8, category_id: 5, bbox: [1, 2, 0, 4] },
      ],
    }),
  )
  const expected = [{ box: [10, 20, 50, 120], crop: { center: [30, 70], side: 125 } }]
  for (const path of ["photos/a.jpg", join(root, "photos/a.jpg"), "elsewhere/a.jpg"]) {
    expect(people.of(path, size)).toEqual(expected)
    expect(people.imageIdOf(path)).toBe(7)
  }
  expect(people.of("b.jpg", size)).toHaveLength(1)
  expect(people.of("c.jpg", size)).toEqual([])
  expect(people.imageIdOf("c.jpg")).toBeUndefined()
  expect(people.leftOut).toEqual([
    "1 box with a score below 0.3 left out (--people-threshold)",
    expect.stringMatching(/\.json: annotation 5 of image 8 has no box with an area: left out$/),
  ])
})

test("images of one name in several folders are told apart, and none is taken for another", () => {
  const images = ["north/1.jpg", "south/1.jpg", "2.jpg", "south/2.jpg"].map((file_name, id) => ({ id, file_name }))
  const annotations = images.map(({ id }) => ({ image_id: id, bbox: [id, 0, 10, 10] }))
  const { imageIdOf } = readPeople(fileWith({ images, annotations }))
  const paths = ["north/1.jpg", "photos/south/1.jpg", "west/1.jpg", "1.jpg", "2.jpg", "south/2.jpg", "west/2.jpg"]
  expect(paths.map(imageIdOf)).toEqual([0, 1, undefined, undefined, 2, 3, 2])
})

test("the crop is made around what of a box lies in the image, as in training", () => {
  const boxes = [
    [-20, 10, 60, 20],
    [90, 120, 40, 40],
    [200, 0, 10, 10],
  ]
  const people = readPeople(fileWith(boxes.map((bbox) => ({ image_id: "a", bbox }))))
  expect(people.of("a.jpg", size)).toEqual([
    { box: [0, 10, 40, 30], crop: { center: [20, 20], side: 50 } },
    { box: [90, 120, 100, 130], crop: { center: [95, 125], side: 12.5 } },
  ])
  expect(people.outside("a.jpg", size)).toEqual([{ place: "annotation 2 of image a", box: [200, 0, 210, 10] }])
})

test("boxes that score less than the threshold are left out, and those without a score never", () => {
  const bbox = [0, 0, 10, 10]
  const file = fileWith([
    { image_id: "a", bbox, score: 0.05 },
    { image_id: "b", bbox, score: 0.2 },
    { image_id: "b", bbox },
  ])
  const counts = (threshold: number) => {
    const people = readPeopleAbove(file, threshold)
    return ["a.jpg", "b.jpg"].map((path) => people.of(path, size).length)
  }
  expect([counts(0), counts(0.1), counts(1)]).toEqual([
    [1, 2],
    [0, 2],
    [0, 1],
  ])
  // An image is named though all that was found in it is left out.
  expect(readPeopleAbove(file, 1).imageIdOf("a.jpg")).toBe("a")
})

test("of many boxes without an area the first are named and the others counted", () => {
  const boxes = Array.from({ length: 8 }, (_, id) => ({ id, image_id: "a", bbox: [0, 0, 0, id] }))
  const { leftOut } = readPeople(fileWith([{ image_id: "a", bbox: [0, 0, 1, 1] }, ...boxes]))
  expect(leftOut).toHaveLength(6)
  expect(leftOut.at(-1)).toBe("and 3 more like that")
})

test("people of a bare list of detections are found by the image's name without ending", () => {
  const people = readPeople(
    fileWith([
      { image_id: 139, category_id: 1, bbox: [0, 0, 10, 10], score: 0.8 },
      { image_id: "beach", category_id: 1, bbox: [0, 0, 20, 10], score: 0.8 },
    ]),
  )
  expect(people.of("val/000000000139.jpg", size)).toEqual([
    { box: [0, 0, 10, 10], crop: { center: [5, 5], side: 12.5 } },
  ])
  expect(people.imageIdOf("val/000000000139.jpg")).toBe(139)
  expect(people.of("beach.png", size)).toHaveLength(1)
  expect(people.of("other.png", size)).toEqual([])
})

test.each([
  ["no JSON", "{", "a file that is no JSON"],
  ["an empty file", "", "an empty file"],
  ["JSON of another kind", { images: [] }, "no list of annotations"],
  ["a file that names nobody", { images: [], annotations: [], categories: [] }, "nobody"],
  ["boxes that are none", [{ image_id: 1, bbox: [0, 0, "wide", 1] }], "1 annotation without a box that has an area"],
  ["boxes that all score little", [{ image_id: 1, bbox: [0, 0, 1, 1], score: 0.1 }], "1 box with a score below 0.3"],
  ["people of MPII", [{ image: "a.jpg", center: [1, 1], joints: [] }], "MPII's list of people, which has no boxes"],
])("%s is refused", (_, content, got) => {
  const refused = expect.objectContaining({ code: "PEOPLE_NOT_READ", details: expect.objectContaining({ got }) })
  expect(() => readPeople(fileWith(content))).toThrow(refused)
})

test.each([
  ["a file that is not there", join(root, "nowhere.json"), "no such file"],
  ["a folder", root, "a folder"],
])("%s is refused in words", (_, file, got) => {
  const refused = expect.objectContaining({ code: "FILE_NOT_READ", details: expect.objectContaining({ got }) })
  expect(() => readPeople(file)).toThrow(refused)
})
