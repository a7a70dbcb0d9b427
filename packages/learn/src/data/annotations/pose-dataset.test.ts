import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../data-files.test-suite.ts"
import { openDataset } from "../open-dataset.ts"
import type { DataDefect } from "../reader.ts"
import { readDetectionDataset } from "./detection-dataset.ts"
import { readPoseDataset } from "./pose-dataset.ts"
import { summarizeAnnotations, summarizePictures } from "./summarize-set.ts"
import { yoloSkeleton } from "./yolo/yolo-joints.ts"

const options = { imageSize: 64, rng: createRng(0) }
const names = ["head_top", "left_hand", "right_hand"]
const person = { id: 1, name: "person", keypoints: names, skeleton: [[1, 2], [1, 3]] } // biome-ignore format: short

/** Joints of a person that nothing is wrong with. */
const good = [10, 1, 2, 4, 20, 1, 0, 0, 0]

async function writePeople(
  annotations: readonly object[],
  { categories = [person], folder = temporaryFolder() }: { categories?: readonly object[]; folder?: string } = {},
): Promise<string> {
  const images = ["a.png", "b.png", "c.png"].map((file_name, id) => ({ id, file_name, width: 40, height: 30 }))
  for (const { file_name } of images) await writeImage(join(folder, "images", file_name), 40, 30)
  const of = (...ids: readonly number[]) => ({
    images: images.filter(({ id }) => ids.includes(id)),
    annotations: annotations.filter((annotation) => ids.includes((annotation as { image_id: number }).image_id)),
    categories,
  })
  write(join(folder, "annotations/person_keypoints_train.json"), JSON.stringify(of(0, 1)))
  write(join(folder, "annotations/person_keypoints_val.json"), JSON.stringify(of(2)))
  return folder
}

const annotate = (id: number, image_id: number, more: object = {}) => ({
  id,
  image_id,
  category_id: 1,
  bbox: [2, 4, 20, 16],
  keypoints: good,
  ...more,
})

async function readTold(
  folder: string,
): Promise<{ readonly ids: readonly string[]; readonly told: readonly string[] }> {
  const told: DataDefect[] = []
  const { train } = await readPoseDataset("coco", folder, { ...options, onDefect: (defect) => told.push(defect) })
  return { ids: train.ids, told: told.map(({ reason }) => reason) }
}

describe("readPoseDataset", () => {
  it("gives each person of an image as a sample of its own, with the crop around its box", async () => {
    const folder = await writePeople([
      annotate(7, 0),
      annotate(3, 0, { bbox: [0, 0, 10, 30], area: 99.5 }),
      annotate(5, 2),
    ])
    const data = await readPoseDataset("coco", folder, options)
    expect(data.classNames).toEqual(names)
    expect(data.skeleton).toEqual({
      names,
      bones: [
        [0, 1],
        [0, 2],
      ],
      pairs: [[1, 2]],
    })
    expect(data.train.ids).toEqual(["images/a.png#7", "images/a.png#3"])
    expect(data.test.ids).toEqual(["images/c.png#5"])
    expect(data.train.picture(1)).toBe(join(folder, "images/a.png"))
    expect(() => data.train.picture(2)).toThrow(RangeError)
    expect(data.train.targets[0]).toEqual({
      width: 40,
      height: 30,
      joints: [
        { x: 10, y: 1, visibility: 2 },
        { x: 4, y: 20, visibility: 1 },
        { x: 0, y: 0, visibility: 0 },
      ],
      crop: { center: [12, 12], side: 25 },
      box: [2, 4, 22, 20],
      area: 320,
      head: null,
      imageId: "images/a.png",
    })
    expect(data.train.targets[1]).toMatchObject({ area: 99.5, crop: { center: [5, 15], side: 37.5 } })
  })

  it("is what the task pose opens, while detection opens the boxes of the same files", async () => {
    const folder = await writePeople([annotate(7, 0), annotate(5, 2)])
    const boxes = await openDataset(`coco:${folder}`, { ...options, task: "detection" })
    const people = await openDataset(`coco:${folder}`, { ...options, task: "pose" })
    expect([boxes.classNames, people.classNames]).toEqual([["person"], names])
    expect(boxes.train.ids).toEqual(["images/a.png", "images/b.png"])
    expect(people.train.ids).toEqual(["images/a.png#7"])
  })

  it("prefers files of people to those of instances, which describe the same images", async () => {
    const folder = await writePeople([annotate(7, 0), annotate(5, 2)])
    const instances = { images: [], annotations: [], categories: [{ id: 1, name: "person" }] }
    write(join(folder, "annotations/instances_train.json"), JSON.stringify(instances))
    expect((await readPoseDataset("coco", folder, options)).train.ids).toEqual(["images/a.png#7"])
  })

  it("leaves out joints and people that cannot be used and tells each, or stops", async () => {
    const folder = await writePeople([
      annotate(1, 0, { bbox: [30, 4, 20, 16] }),
      annotate(2, 0, { keypoints: [10, 1, 2, 44, 20, 2, 1, "x", 2] }),
      annotate(3, 0, { keypoints: [0, 0, 0, 0, 0, 0, 0, 0, 0] }),
      annotate(4, 0, { keypoints: [1, 2, 2, 3, 4, 2] }),
      annotate(5, 0, { keypoints: undefined }),
      annotate(6, 0, { bbox: [5, 5, 0, 10] }),
      annotate(7, 1, { iscrowd: 1 }),
      annotate(8, 1),
      annotate(8, 1),
      annotate(9, 2),
    ])
    const { ids, told } = await readTold(folder)
    expect(ids).toEqual(["images/a.png#1", "images/a.png#2", "images/b.png#8"])
    expect(told).toEqual([
      "annotations[8] has the id 8, as annotations[7]",
      "annotations[0] (person): box [30, 4, 50, 20] sticks out of the image of 40x30: clipped to the image",
      "annotations[1] (person): left_hand at 44, 20 is outside the image of 40x30: joint left out",
      "annotations[1] (person): right_hand is not two numbers and a visibility of 0, 1 or 2: joint left out",
      "annotations[2] (person): no labelled joints: person left out",
      "annotations[3] (person): 2 joints, not 3: person left out",
      "annotations[4] (person): no labelled joints: person left out",
      "annotations[5] (person): zero area [5, 5, 5, 15]: person left out",
      "annotations[6] (person): a crowd, which is not trained on",
      "annotations[8] (person): another of the image has the same id: person left out",
    ])
    await expect(readPoseDataset("coco", folder, { ...options, defects: "stop" })).rejects.toMatchObject({
      code: "DEFECTIVE_DATA",
      message: expect.stringMatching(/got 8: /),
    })
    const { train } = await readDetectionDataset("coco", folder, options)
    expect(train.targets[0]?.boxes.length).toBe(5)
  })

  it("says of data without a usable person where to read why, as task detection does of images", async () => {
    const nobody = await writePeople([annotate(1, 0, { keypoints: [0, 0, 0, 0, 0, 0, 0, 0, 0] }), annotate(2, 2)])
    await expect(openDataset(`coco:${nobody}`, { ...options, task: "pose" })).rejects.toMatchObject({
      code: "EMPTY_SPLIT",
      details: {
        expected: "at least one training person that can be used",
        fix: expect.stringMatching(/^`learnloss data check coco:.*` names what is left out and why/),
      },
    })
    const broken = await writePeople([annotate(1, 0)])
    for (const name of ["b.png", "c.png"]) write(join(broken, "images", name), "no image")
    await expect(openDataset(`coco:${broken}`, { ...options, task: "detection" })).rejects.toMatchObject({
      code: "EMPTY_SPLIT",
      details: {
        expected: expect.stringMatching(/^at least one (training|test) image that can be used$/),
        fix: expect.stringContaining("data check"),
      },
    })
  })

  it("refuses names of joints that do not pair up, and tells bones and lists that are none", async () => {
    const lame = { ...person, keypoints: ["head_top", "left_hand", "right_foot"] }
    const unpaired = readPoseDataset("coco", await writePeople([annotate(1, 0)], { categories: [lame] }), options)
    await expect(unpaired).rejects.toMatchObject({
      code: "UNPAIRED_JOINTS",
      message: expect.stringMatching(/unpaired: left_hand, right_foot.*flip_idx/),
    })
    const odd = { ...person, skeleton: [[1, 2], [0, 1], [3, 4], "1-2"] } // biome-ignore format: short
    const folder = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [odd] })
    expect((await readTold(folder)).told).toEqual(
      Array(2).fill('category "person": skeleton has 3 bones that join no two of its 3 joints'),
    )
  })

  it("refuses data without joints, or with different ones unless a class is chosen", async () => {
    const plain = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [{ id: 1, name: "person" }] })
    await expect(readPoseDataset("coco", plain, options)).rejects.toMatchObject({
      code: "NO_JOINTS",
      message: expect.stringMatching(/set task to detection/),
    })
    const twice = { ...person, keypoints: ["tail", "tail", "nose"] }
    const named = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [twice] })
    await expect(readPoseDataset("coco", named, options)).rejects.toMatchObject({ code: "NO_JOINTS" })
    const dog = { id: 2, name: "dog", keypoints: ["tail"] }
    const folder = await writePeople(
      [annotate(1, 0), annotate(2, 2), annotate(3, 0, { category_id: 2, keypoints: [3, 3, 2] })],
      { categories: [person, dog] },
    )
    await expect(readPoseDataset("coco", folder, options)).rejects.toMatchObject({ code: "SKELETON_CONFLICT" })
    expect((await readPoseDataset("coco", `${folder}?classes=person`, options)).train.ids).toEqual(["images/a.png#1"])
  })

  it("refuses files that give a class different joints", async () => {
    const folder = await writePeople([annotate(1, 0)])
    const other = { images: [], annotations: [], categories: [{ ...person, keypoints: names.toReversed() }] }
    write(join(folder, "annotations/person_keypoints_val.json"), JSON.stringify(other))
    await expect(readPoseDataset("coco", folder, options)).rejects.toThrow(
      /the 3 joints that "person" had before: head_top.*one at a time/s,
    )
  })
})

describe("summarizeAnnotations", () => {
  it("counts people and their labelled joints where objects have joints, or boxes when told to", async () => {
    const folder = await writePeople([
      annotate(1, 0),
      annotate(2, 0),
      annotate(3, 2, { keypoints: [5, 5, 2, 6, 6, 2, 7, 7, 1] }),
    ])
    const rng = createRng(0)
    const summary = await summarizeAnnotations("coco", folder, { rng })
    expect(summary).toMatchObject({ jointNames: names, uses: { train: "train", test: "val" }, defects: [] })
    expect(summary.splits).toEqual([
      { name: "train", images: 2, imagesWithoutPeople: 1, people: 2, boxes: 2, joints: [2, 2, 0] },
      { name: "val", images: 1, imagesWithoutPeople: 0, people: 1, boxes: 1, joints: [1, 1, 1] },
    ])
    const boxes = await summarizeAnnotations("coco", folder, { rng, task: "detection" })
    expect(boxes).toMatchObject({ classNames: ["person"], splits: [{ boxes: [2] }, { boxes: [1] }] })
    const { splits } = summarizePictures(await readPoseDataset("coco", folder, options))
    expect(splits[0]).toEqual({
      name: "train",
      images: 1,
      imagesWithoutPeople: 0,
      people: 2,
      boxes: 2,
      joints: [2, 2, 0],
    })
  })

  it("reports names that do not pair up instead of refusing them", async () => {
    const lame = { ...person, keypoints: ["head_top", "left_hand", "right_foot"] }
    const folder = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [lame] })
    const { defects } = await summarizeAnnotations("coco", folder, { rng: createRng(0) })
    expect(defects.map(({ kind, reason }) => [kind, reason])).toEqual(
      Array(2).fill(["unpaired-names", 'category "person": left/right names unpaired: left_hand, right_foot']),
    )
  })

  it("notes names that tell no sides, for which YOLO then has no flip_idx", async () => {
    const plain = { ...person, keypoints: ["p0", "p1", "p2"] }
    const folder = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [plain] })
    const { defects } = await summarizeAnnotations("coco", folder, { rng: createRng(0) })
    const reason = `category "person": its keypoints' names do not tell left from right, so pictures are not mirrored`
    expect(defects.map((defect) => defect.reason)).toEqual([reason, reason])
    expect(yoloSkeleton({ names: plain.keypoints, bones: [], pairs: [] }, ["person"])).not.toHaveProperty("flip_idx")
    const half = { names: ["left_hand", "right_hand", "left_foot"], bones: [], pairs: [[0, 1]] } as const
    expect(yoloSkeleton(half, ["person"])).not.toHaveProperty("flip_idx")
  })

  it("says of joints that no category names how to have them read", async () => {
    const nameless = { categories: [{ id: 1, name: "person" }] }
    const folder = await writePeople([annotate(1, 0), annotate(2, 1), annotate(3, 2)], nameless)
    const { defects } = await summarizeAnnotations("coco", folder, { rng: createRng(0) })
    expect(defects.map(({ cost, reason }) => [cost, reason])).toEqual([
      ["noted", 'category "person" names none of the keypoints that 2 of its annotations have: add `keypoints` to it'],
      ["noted", 'category "person" names none of the keypoints that 1 of its annotations have: add `keypoints` to it'],
    ])
    await expect(readPoseDataset("coco", folder, options)).rejects.toMatchObject({
      code: "NO_JOINTS",
      message: expect.stringMatching(/"person" names none: add `keypoints` to it/),
    })
  })

  it("counts boxes where classes have different joints, unless people are asked for", async () => {
    const dog = { id: 2, name: "dog", keypoints: ["tail"] }
    const folder = await writePeople([annotate(1, 0), annotate(2, 2)], { categories: [person, dog] })
    const rng = createRng(0)
    expect(await summarizeAnnotations("coco", folder, { rng })).toHaveProperty("classNames", ["person", "dog"])
    await expect(summarizeAnnotations("coco", folder, { rng, task: "pose" })).rejects.toMatchObject({
      code: "SKELETON_CONFLICT",
    })
  })
})
