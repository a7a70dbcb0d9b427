import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import sharp from "sharp"
import { describe, expect, it, onTestFinished } from "vitest"
import { addDataCommand } from "./data.ts"

async function run(...args: readonly string[]) {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const io = {
    stdout: (text: string) => void stdout.push(text),
    stderr: (text: string) => void stderr.push(text),
    isTerminal: false,
    signal: new AbortController().signal,
  }
  const program = new Command("learnloss").exitOverride().configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
  addDataCommand(program, io)
  const error = await program.parseAsync(["data", ...args], { from: "user" }).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  return { stdout: stdout.join(""), stderr: stderr.join(""), error }
}

const object = (name: string, [x1, y1, x2, y2]: readonly number[]) =>
  `<object><name>${name}</name><difficult>1</difficult><bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`

/** Five images of 40x30 pixels; the first has a box without area, the last is cut off. */
async function vocFolder(): Promise<string> {
  const above = mkdtempSync(join(tmpdir(), "learnloss-voc-"))
  onTestFinished(() => rmSync(above, { recursive: true, force: true }))
  const folder = join(above, "voc")
  for (const below of ["JPEGImages", "Annotations"]) mkdirSync(join(folder, below), { recursive: true })
  for (let index = 0; index < 5; index++) {
    const image = await sharp({ create: { width: 400, height: 300, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer()
    writeFileSync(join(folder, "JPEGImages", `${index}.jpg`), index === 4 ? image.subarray(0, 700) : image)
    const boxes = object("dog", [1, 1, 41, 21]) + (index === 0 ? object("cat", [5, 5, 5, 9]) : "")
    writeFileSync(join(folder, "Annotations", `${index}.xml`), `<annotation>${boxes}</annotation>`)
  }
  return folder
}

describe("learnloss data check of images with boxes", () => {
  it("counts images and boxes of each split and tells every defect", async () => {
    const { stdout, error } = await run("check", `voc:${await vocFolder()}`)
    expect(error).toBeUndefined()
    expect(stdout).toMatch(/test +a fifth of all images, drawn\n/)
    expect(stdout).toMatch(/400 x 300 pixels/)
    expect(stdout).toMatch(/images +4\n.*without boxes +0\n.*boxes +4\n.*cat +0\n.*dog +4\n/s)
    expect(stdout).toMatch(/2 defects: 1 damaged-image, 1 zero-area\n/)
    expect(stdout).toMatch(/4\.jpg: damaged: .*: image left out\n/)
    expect(stdout).toMatch(/0\.xml: object 2 \(cat\): zero area \[5, 5, 5, 9\]: box left out\n/)
  })

  it("prints one JSON object, and finds no damage in headers", async () => {
    const summary = JSON.parse((await run("check", `voc:${await vocFolder()}`, "--quick", "--json")).stdout)
    expect(summary).toMatchObject({
      classNames: ["cat", "dog"],
      splits: [{ name: "all", images: 5, imagesWithoutBoxes: 0, boxes: [0, 5] }],
      defectCounts: { "zero-area": 1 },
    })
  })

  it("fails with what it looked for when there is nothing", async () => {
    expect((await run("check", "coco:nowhere")).error?.message).toMatch(/no such folder/)
  })
})

describe("learnloss data convert", () => {
  it("writes another format and says what that has no place for", async () => {
    const folder = await vocFolder()
    const { stdout, error } = await run("convert", `voc:${folder}`, `yolo:${folder}-yolo`)
    expect(error).toBeUndefined()
    expect(stdout).toContain(": 5 images, 5 boxes of 2 classes from voc:")
    expect(stdout).toMatch(/without:\n {2}objects: difficult \(6\)\n {2}objects: left out, without area .*\(1\)\n/)
    expect(readFileSync(join(`${folder}-yolo`, "labels/1.txt"), "utf8")).toBe(
      "1 0.0525 0.0366666666666667 0.1 0.0666666666666667\n",
    )
    const back = JSON.parse(
      (await run("convert", `yolo:${folder}-yolo`, `voc:${folder}-voc?origin=one`, "--json")).stdout,
    )
    expect(back).toMatchObject({ images: 5, boxes: 5, classes: ["cat", "dog"], losses: [] })
    expect(readFileSync(join(`${folder}-voc`, "Annotations/1.xml"), "utf8")).toMatch(/<xmin>2<.*<xmax>41</s)
  })

  it("says what could not be read and so is not there, and nothing else of what is written", async () => {
    const folder = await vocFolder()
    writeFileSync(join(folder, "Annotations", "1.xml"), "<annotation>")
    writeFileSync(
      join(folder, "Annotations", "2.xml"),
      `<annotation>${object("dog", [1, 1, 41, Number.NaN])}</annotation>`,
    )
    writeFileSync(join(folder, "JPEGImages", "3.jpg"), "")
    const { stdout } = await run("convert", `voc:${folder}`, `coco:${folder}-coco`)
    expect(stdout).toContain(": 4 images, 4 boxes of 2 classes")
    expect(stdout).toMatch(/images: left out, without an annotation that can be read.* \(1\)\n/)
    expect(stdout).toMatch(/objects: left out, for they could not be read.* \(1\)\n/)
    expect(stdout).toMatch(/3 defects of what was read:\n/)
    expect(stdout).toMatch(/3\.jpg: an empty file\n/)
    const json = JSON.parse(readFileSync(join(`${folder}-coco`, "annotations/instances_all.json"), "utf8"))
    expect([json.images.length, json.annotations.length]).toEqual([4, 4])
    const yolo = await run("convert", `voc:${folder}`, `yolo:${folder}-yolo`)
    expect(yolo.stdout).toContain(": 3 images, 2 boxes of 2 classes")
    expect(yolo.stdout).toMatch(/images: left out, without an annotation that can be read.* \(1\)\n/)
    expect(yolo.stdout).toMatch(/images: left out, for they cannot be read \(1\)\n/)
    const voc = await run("convert", `voc:${folder}`, `voc:${folder}-voc`)
    expect(voc.stdout).toContain(": 5 images, 4 boxes of 2 classes")
    expect(voc.stdout).toMatch(/without:\n {2}annotations: left out, for they could not be read \(1\)\n3 defects/)
  })

  it("refuses what is no such format, has options that say nothing, or would be written over", async () => {
    const folder = await vocFolder()
    expect((await run("convert", "shapes", `coco:${folder}-out`)).error).toMatchObject({ code: "NOT_CONVERTIBLE" })
    const unwritten = await run("convert", `voc:${folder}`, `mpii:${folder}-out`)
    expect(unwritten.error?.message).toMatch(/mpii can be read, not written/)
    expect((await run("convert", `voc:${folder}?train=a`, `coco:${folder}-out`)).error).toMatchObject({
      code: "BAD_OPTION",
    })
    expect((await run("convert", `voc:${folder}`, `coco:${folder}`)).error).toMatchObject({ code: "FOLDER_NOT_EMPTY" })
    expect((await run("convert", `voc:${folder}`, `coco:${folder}-out`, "--images", "move")).error?.message).toMatch(
      /copy, link/,
    )
    expect(existsSync(`${folder}-out`)).toBe(false)
  })
})

describe("learnloss data check and convert of people", () => {
  it("counts people and joints, by --task boxes, and takes MPII's people to COCO and YOLO", async () => {
    const above = mkdtempSync(join(tmpdir(), "learnloss-mpii-"))
    onTestFinished(() => rmSync(above, { recursive: true, force: true }))
    const folder = join(above, "mpii")
    mkdirSync(join(folder, "images"), { recursive: true })
    const joints = Array.from({ length: 16 }, (_, index) => [20 + 3 * index, 30 + 2 * index])
    const joints_vis = joints.map((_, index) => (index < 3 ? 0 : 1))
    const person = (image: string) => ({ image, center: [50.5, 40], scale: 0.2, joints, joints_vis })
    for (const name of ["a.png", "b.png"]) {
      const picture = sharp({ create: { width: 120, height: 90, channels: 3, background: "red" } })
      writeFileSync(join(folder, "images", name), await picture.png().toBuffer())
    }
    writeFileSync(join(folder, "train.json"), JSON.stringify([person("a.png"), { ...person("a.png"), scale: 0 }]))
    writeFileSync(join(folder, "valid.json"), JSON.stringify([person("b.png")]))
    const { stdout } = await run("check", `mpii:${folder}`)
    expect(stdout).toMatch(/people +1 +1\n.*boxes +0 +0\n.*labelled joints +13 +13\n.*right_ankle +0 +0\n/s)
    expect(stdout).toMatch(
      /1 defect: 1 scale-zero\n.*train\.json: \[1\] \(person\): no size or place: .*person left out/,
    )
    const coco = join(above, "coco")
    const conversion = JSON.parse((await run("convert", `mpii:${folder}`, `coco:${coco}`, "--json")).stdout)
    expect(conversion).toMatchObject({ images: 2, boxes: 3, classes: ["person"], losses: [] })
    const json = JSON.parse(readFileSync(join(coco, "annotations/person_keypoints_valid.json"), "utf8"))
    expect(json.annotations[0]).toMatchObject({ bbox: [30, 22.5, 40, 40], num_keypoints: 13 })
    expect(json.annotations[0].keypoints.slice(9, 12)).toEqual([28.5, 35.5, 2])
    expect((await run("check", `coco:${coco}`)).stdout).toMatch(/boxes +1 +1\n.*labelled joints +13 +13\n/s)
    expect((await run("check", `coco:${coco}`, "--task", "detection")).stdout).toMatch(/boxes +1 +1\n +person +1 +1\n/)
    const yolo = await run("convert", `coco:${coco}`, `yolo:${join(above, "yolo")}`)
    expect(yolo.stdout).toMatch(
      /without:\n +skeletons: bones \(15\)\n +objects: id of people \(3\)\n +objects: left out, without area inside the image \(1\)\n/,
    )
    expect((await run("check", `yolo:${join(above, "yolo")}`)).stdout).toMatch(/labelled joints +13 +13\n/)
    expect((await run("convert", `coco:${coco}`, `mpii:${join(above, "x")}`)).error).toMatchObject({
      code: "NOT_CONVERTIBLE",
    })
  })

  it("tells of joints in files beside those of boxes, which are read when they are named", async () => {
    const above = mkdtempSync(join(tmpdir(), "learnloss-coco-"))
    onTestFinished(() => rmSync(above, { recursive: true, force: true }))
    const folder = join(above, "coco")
    mkdirSync(join(folder, "annotations"), { recursive: true })
    const picture = sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
    writeFileSync(join(folder, "a.png"), await picture.png().toBuffer())
    const images = [{ id: 1, file_name: "a.png", width: 40, height: 30 }]
    const annotation = { id: 1, image_id: 1, category_id: 1, bbox: [2, 4, 20, 16], area: 320, iscrowd: 0 }
    const write = (kind: string, annotations: object[], categories: object[]) =>
      writeFileSync(join(folder, `annotations/${kind}_val.json`), JSON.stringify({ images, annotations, categories }))
    write("instances", [annotation], [{ id: 1, name: "person" }])
    write(
      "person_keypoints",
      [{ ...annotation, keypoints: [10, 10, 2], num_keypoints: 1 }],
      [{ id: 1, name: "person", keypoints: ["nose"], skeleton: [] }],
    )
    const both = (await run("convert", `coco:${folder}`, `yolo:${above}/boxes`)).stdout
    expect(both).toMatch(/without:\n {2}files: passed over with their joints.* \(1\)\n/)
    expect(both).toMatch(/person_keypoints_val\.json: joints that are passed over/)
    expect((await run("check", `coco:${folder}`, "--task", "pose")).stdout).toMatch(/nose +1\n\nno defects/)
    const named = `coco:${folder}/annotations/person_keypoints_val.json`
    expect((await run("convert", named, `yolo:${above}/people`)).stdout).not.toContain("passed over")
    expect(readFileSync(join(above, "people/labels/val/a.txt"), "utf8").split(" ")).toHaveLength(8)
  })
})
