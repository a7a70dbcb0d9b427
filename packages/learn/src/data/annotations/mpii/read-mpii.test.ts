import { copyFileSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import { temporaryFolder, write, writeImage } from "../../data-files.test-suite.ts"
import type { PersonTarget } from "../../people.ts"
import type { DataDefect } from "../../reader.ts"
import { testLog } from "../annotation-files.test-suite.ts"
import { readPoseDataset } from "../pose-dataset.ts"
import { readMpiiSet } from "./read-mpii.ts"

const fixtures = join(import.meta.dirname, "../../../../../../fixtures/mpii")

/** What `make-mpii.py` wrote, in pixels counted from 1; the third number of a joint is COCO's visibility. */
interface Said {
  readonly image: string
  readonly center: readonly [number, number]
  readonly scale: number
  readonly joints: readonly (readonly [number, number, 0 | 1 | 2])[]
  readonly head: readonly [number, number, number, number]
}

const said = JSON.parse(readFileSync(join(fixtures, "people.json"), "utf8")) as readonly Said[]

const options = { imageSize: 64, rng: createRng(0) }
const official = "mpii_human_pose_v1_u12_1.mat"

async function writeImages(folder: string, names: readonly string[] = said.map(({ image }) => image)): Promise<void> {
  for (const name of new Set(names)) await writeImage(join(folder, "images", name), 1280, 720)
}

function targetOf({ image, center, scale, joints, head }: Said, hasHeadBox: boolean): PersonTarget {
  const [neck, top] = [joints[8], joints[9]]
  const length = neck?.[2] && top?.[2] ? Math.hypot(neck[0] - top[0], neck[1] - top[1]) : null
  const between = length === null ? null : ({ length, from: "neck to head top" } as const)
  return {
    width: 1280,
    height: 720,
    joints: joints.map(([x, y, visibility]) =>
      visibility === 0 ? { x: 0, y: 0, visibility } : { x: x - 0.5, y: y - 0.5, visibility },
    ),
    crop: { center: [center[0] - 0.5, center[1] + 15 * scale - 0.5], side: 250 * scale },
    box: null,
    area: null,
    head: hasHeadBox ? { length: 0.6 * Math.hypot(head[2] - head[0], head[3] - head[1]), from: "head box" } : between,
    imageId: `images/${image}`,
  }
}

/** As HRNet writes a person, with -1 for joints that nobody marked. */
const hrnet = ({ image, center, scale, joints }: Said) => ({
  image,
  center,
  scale,
  joints: joints.map(([x, y, visibility]) => (visibility === 0 ? [-1, -1] : [x, y])),
  joints_vis: joints.map(([, , visibility]) => Math.min(1, visibility)),
})

/** As pytorch-pose writes a person. */
const pytorchPose = ({ image, center, scale, joints }: Said, isValidation: 0 | 1) => ({
  dataset: "MPI",
  isValidation,
  img_paths: image,
  objpos: center,
  scale_provided: scale,
  joint_self: joints.map(([x, y, visibility]) => [x, y, Math.max(0, visibility - 1)]),
})

const writeJson = (path: string, value: unknown): void => write(path, JSON.stringify(value))
const seen = (person: Said): Said => ({
  ...person,
  joints: person.joints.map(([x, y, visibility]) => [x, y, visibility === 0 ? 0 : 2]),
})

async function readTold(path: string) {
  const told: DataDefect[] = []
  const data = await readPoseDataset("mpii", path, { ...options, onDefect: (defect) => told.push(defect) })
  return { ...data, told: told.map(({ reason }) => reason) }
}

describe("readMpiiSet", () => {
  it.each(["compressed.mat", "plain.mat"])("reads people of training images with joints from %s", async (name) => {
    const folder = temporaryFolder()
    copyFileSync(join(fixtures, name), join(folder, "mine.mat"))
    await writeImages(folder)
    const { log, lines } = testLog()
    const { images, splits, skeletons } = await readMpiiSet(join(folder, "mine.mat"), { log })
    expect(images.map(({ id, objects }) => [id, objects.length])).toEqual([
      ["images/015601864.jpg", 2],
      ["images/000003072.jpg", 1],
      ["images/086617615.jpg", 1],
    ])
    expect([...splits]).toEqual([["train", images.map(({ id }) => id)]])
    expect(skeletons.get("person")?.pairs).toEqual([[5, 0], [4, 1], [3, 2], [15, 10], [14, 11], [13, 12]]) // biome-ignore format: short
    expect(lines()).toEqual(["no-joints: 1 people of training images are without joints: passed over"])
    const { train, test } = await readPoseDataset("mpii", join(folder, "mine.mat"), options)
    const read = new Map([train, test].flatMap(({ ids, targets }) => ids.map((id, at) => [id, targets[at]])))
    const numbers = [0, 1, 0, 0]
    for (const [index, person] of said.entries())
      expect(read.get(`images/${person.image}#${numbers[index]}`)).toEqual(targetOf(person, true))
  })

  it("reads HRNet's JSON with its splits, and the size of heads from neck and head top", async () => {
    const folder = temporaryFolder()
    await writeImages(folder)
    writeJson(join(folder, "annot/train.json"), said.slice(0, 2).map(hrnet))
    writeJson(join(folder, "annot/valid.json"), said.slice(2).map(hrnet))
    writeJson(join(folder, "annot/trainval.json"), said.map(hrnet))
    for (const path of [folder, join(folder, "annot")]) {
      const { train, test, told, classNames } = await readTold(path)
      expect(train.targets).toEqual(said.slice(0, 2).map((person) => targetOf(seen(person), false)))
      expect(test.targets).toEqual(said.slice(2).map((person) => targetOf(seen(person), false)))
      expect(train.ids).toEqual(["images/015601864.jpg#0", "images/015601864.jpg#1"])
      expect([told, classNames[9]]).toEqual([[], "head_top"])
    }
  })

  it("takes heads from the official file beside JSON, for people of the same place and size", async () => {
    const folder = temporaryFolder()
    await writeImages(folder)
    copyFileSync(join(fixtures, "compressed.mat"), join(folder, official))
    const moved = said
      .slice(2)
      .map(hrnet)
      .map((person, index) => ({ ...person, scale: person.scale + index }))
    writeJson(join(folder, "annot/train.json"), said.slice(0, 2).map(hrnet))
    writeJson(join(folder, "annot/valid.json"), moved)
    const { train, test, told } = await readTold(folder)
    expect(train.targets).toEqual(said.slice(0, 2).map((person) => targetOf(seen(person), true)))
    expect(test.targets.map(({ head }) => head?.from)).toEqual(["head box", "neck to head top"])
    expect(told).toContain("1 of 4 people have no head box here: from neck to head top is taken")
  })

  it("trains on the official file's people but for images that valid.json alone names", async () => {
    const folder = temporaryFolder()
    await writeImages(folder)
    copyFileSync(join(fixtures, "plain.mat"), join(folder, official))
    writeJson(join(folder, "valid.json"), said.slice(0, 1).map(hrnet))
    const { train, test } = await readTold(folder)
    expect(test.targets).toEqual([targetOf(seen(said[0] as Said), true)])
    expect(train.targets).toEqual(said.slice(2).map((person) => targetOf(person, true)))
  })

  it("reads pytorch-pose's JSON, where hidden joints are told from missing ones", async () => {
    const folder = temporaryFolder()
    await writeImages(folder)
    writeJson(
      join(folder, "mpii_annotations.json"),
      said.map((person, index) => pytorchPose(person, index < 2 ? 0 : 1)),
    )
    const { train, test } = await readTold(folder)
    expect(train.targets).toEqual(said.slice(0, 2).map((person) => targetOf(person, false)))
    expect(test.targets).toEqual(said.slice(2).map((person) => targetOf(person, false)))
  })

  it("tells people without size, place, joints or image, and with another number of joints", async () => {
    const folder = temporaryFolder()
    const good = hrnet(said[0] as Said)
    await writeImages(folder, [good.image, "other.jpg"])
    writeJson(join(folder, "valid.json"), [{ ...good, image: "other.jpg" }])
    writeJson(join(folder, "train.json"), [
      good,
      { ...good, scale: 0 },
      { ...good, scale: "3" },
      { ...good, center: [-1] },
      { ...good, center: [9000, 300], scale: 1 },
      { ...good, joints: good.joints.slice(0, 14) },
      { ...good, joints_vis: good.joints_vis.map(() => 0) },
      { ...good, joints: [["x", 3], null, ...good.joints.slice(2)] },
      { ...good, image: "../../secret.jpg" },
      { ...good, image: "missing.jpg" },
      { ...good, image: "other.jpg" },
      { image: 7 },
      null,
    ])
    const { train, told } = await readTold(folder)
    expect(train.ids).toEqual([`images/${good.image}#0`, `images/${good.image}#7`])
    expect(train.targets[1]?.joints.slice(0, 3).map(({ visibility }) => visibility)).toEqual([0, 0, 2])
    expect(told).toEqual([
      "[11] names no image or has no joints: person left out",
      "[12] names no image or has no joints: person left out",
      "[10]: other.jpg is among the validated images: person left out",
      'image "../../secret.jpg" leads out of the folder, and is not followed: image left out',
      `no image missing.jpg in ${folder} or its images/: image left out`,
      expect.stringMatching(/^\[1\] \(person\): no size or place: centre .* and a crop of 0 pixels: person left out$/),
      expect.stringMatching(/^\[2\] \(person\): no size or place/),
      expect.stringMatching(/^\[3\] \(person\): no size or place/),
      "[4] (person): centre 8999.5, 314.5 and a crop of 250 pixels outside the image of 1280x720: person left out",
      "[5] (person): 14 joints, not 16: person left out",
      "[6] (person): no labelled joints: person left out",
      "[7] (person): each of right_ankle, right_knee is not two numbers and a visibility of 0, 1 or 2: joint left out",
    ])
  })

  it("refuses a file in which everybody has another number of joints in one word", async () => {
    const folder = temporaryFolder()
    const people = said.map(hrnet).map((person) => ({ ...person, joints: person.joints.slice(0, 14) }))
    writeJson(join(folder, "train.json"), people)
    const { log, lines } = testLog()
    await expect(readMpiiSet(folder, { log })).rejects.toMatchObject({
      code: "MPII_JOINTS",
      message: expect.stringMatching(/expected 16 joints a person, as MPII has them, got 14\. .*COCO keypoints/),
    })
    expect(lines()).toEqual([])
  })

  it("refuses what is nothing of MPII's", async () => {
    const folder = temporaryFolder()
    const read = (path: string) => readMpiiSet(path, { log: testLog().log })
    await expect(read(folder)).rejects.toMatchObject({ code: "NO_ANNOTATIONS" })
    await expect(read(join(folder, "nowhere"))).rejects.toThrow(/no such folder/)
    mkdirSync(join(folder, "annot"))
    for (const text of ["", "{", "{}", "[]", "[1]", '[{"image": "a.jpg"}]', "[".repeat(100_000)]) {
      write(join(folder, "annot/train.json"), text)
      await expect(read(folder)).rejects.toMatchObject({ code: "BAD_JSON" })
    }
    await expect(read(join(fixtures, "version-4.mat"))).rejects.toMatchObject({ code: "MAT_VERSION" })
  })
})
