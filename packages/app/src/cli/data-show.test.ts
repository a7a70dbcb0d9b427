import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it, onTestFinished } from "vitest"
import { runMain } from "../run-main.test-suite.ts"

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "learnloss-show-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A VOC folder of grey pictures, each with one object; the last is annotated for another size. */
async function writeVoc(count: number): Promise<string> {
  const folder = temporaryFolder()
  for (const name of ["JPEGImages", "Annotations"]) mkdirSync(join(folder, name))
  for (let index = 0; index < count; index++) {
    const picture = sharp({ create: { width: 80, height: 60, channels: 3, background: "#888888" } })
    await picture.toFile(join(folder, "JPEGImages", `${index}.jpg`))
    const box = "<xmin>10</xmin><ymin>10</ymin><xmax>50</xmax><ymax>40</ymax>"
    writeFileSync(
      join(folder, "Annotations", `${index}.xml`),
      `<annotation><filename>${index}.jpg</filename><size><width>80</width><height>60</height><depth>3</depth></size><object><name>cell</name><bndbox>${box}</bndbox></object></annotation>`,
    )
  }
  return folder
}

describe("learnloss data show", () => {
  it("draws pictures with their boxes, as they are and as training changes them", async () => {
    const folder = await writeVoc(6)
    const file = (name: string) => join(folder, name)
    const plain = await runMain(["data", "show", `voc:${folder}`, "-n", "3", "--out", file("plain.png"), "--json"])
    expect(plain).toMatchObject({ code: 0 })
    const { samples } = JSON.parse(plain.stdout)
    expect(samples).toHaveLength(3)
    expect(samples[0]).toEqual({ id: expect.stringMatching(/\d\.jpg/), boxes: 1 })
    expect((await sharp(file("plain.png")).metadata()).width).toBe(10 + 3 * 310)

    const show = (name: string, seed: string) =>
      runMain(["data", "show", `voc:${folder}`, "--augment", "-n", "2", "--seed", seed, "--out", file(name)])
    const augmented = await show("a.png", "5")
    expect(augmented.stdout).toMatch(/a\.png: 2 training samples of voc:.*, as training changes them\n$/)
    await show("b.png", "5")
    await show("c.png", "6")
    const pixels = await Promise.all(
      ["a", "b", "c"].map((name) =>
        sharp(file(`${name}.png`))
          .raw()
          .toBuffer(),
      ),
    )
    expect(pixels[1]).toEqual(pixels[0])
    expect(pixels[2]).not.toEqual(pixels[0])
  })

  it("names a picture that cannot be read, draws the others and ends with 2", async () => {
    const folder = await writeVoc(6)
    const noise = { type: "gaussian", mean: 128, sigma: 60 } as const
    const picture = sharp({ create: { width: 80, height: 60, channels: 3, background: "black", noise } })
    const whole = await picture.jpeg().toBuffer()
    const cutOff = whole.subarray(0, whole.length / 2)
    const out = join(folder, "rest.png")
    const { stdout: all } = await runMain(["data", "show", `voc:${folder}`, "--out", out, "--json"])
    const [{ id: damaged }] = JSON.parse(all).samples
    writeFileSync(join(folder, damaged), cutOff)
    for (const more of [[], ["--augment"]]) {
      const { code, stdout, stderr } = await runMain(["data", "show", `voc:${folder}`, "--out", out, ...more])
      expect(code).toBe(2)
      expect(stdout).toMatch(/rest\.png: 4 training samples/)
      expect(stderr).toContain(`${join(folder, damaged)}: expected `)
      expect(stderr).toMatch(/, got .*\n1 picture could not be read\n/)
      expect((await sharp(out).metadata()).width).toBe(10 + 4 * 310)
    }
    for (let index = 0; index < 6; index++) writeFileSync(join(folder, "JPEGImages", `${index}.jpg`), cutOff)
    expect(await runMain(["data", "show", `voc:${folder}`, "--out", out])).toMatchObject({ code: 2, stdout: "" })
  })

  it("draws images of one class with its name", async () => {
    const out = join(temporaryFolder(), "shapes.png")
    for (const augment of [[], ["--augment"]]) {
      const { code, stdout } = await runMain(["data", "show", "shapes:40,20", ...augment, "--out", out, "--json"])
      expect(code).toBe(0)
      expect(JSON.parse(stdout).samples).toHaveLength(12)
      expect(JSON.parse(stdout).samples[0]).toEqual({ id: expect.any(String), class: expect.any(String) })
    }
  })

  it("draws people with their joints, whole or as training sees them", async () => {
    const out = join(temporaryFolder(), "figures.png")
    const show = ["data", "show", "figures:30,10", "-n", "4", "--image-size", "96", "--out", out, "--json"]
    for (const augment of [[], ["--augment"]]) {
      const { code, stdout } = await runMain([...show, ...augment])
      expect(code).toBe(0)
      const { samples } = JSON.parse(stdout)
      expect(samples).toHaveLength(4)
      for (const { joints } of samples) expect(joints).toBeGreaterThan(6)
    }
    expect((await sharp(out).metadata()).width).toBe(10 + 4 * 290)
  })

  it("reads the joints of a COCO file for the task pose and its boxes for detection", async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, "images"))
    for (const name of ["a.jpg", "b.jpg", "c.jpg"]) {
      const picture = sharp({ create: { width: 80, height: 60, channels: 3, background: "#888888" } })
      await picture.toFile(join(folder, "images", name))
    }
    const person = (id: number, imageId: number) => ({
      ...{ id, image_id: imageId, category_id: 1, bbox: [10, 10, 30, 40], area: 1200, iscrowd: 0 },
      ...{ keypoints: [20, 20, 2, 30, 40, 1, 0, 0, 0], num_keypoints: 2 },
    })
    const joints = { keypoints: ["head", "left_hand", "right_hand"], skeleton: [[1, 2]] }
    const images = ["a.jpg", "b.jpg", "c.jpg"].map((name, id) => ({ id, file_name: name, width: 80, height: 60 }))
    const annotations = [person(5, 0), person(6, 0), person(7, 1), person(8, 2)]
    const categories = [{ id: 1, name: "person", ...joints }]
    for (const [split, isIn] of [
      ["train", (id: number) => id < 2],
      ["test", (id: number) => id === 2],
    ] as const) {
      const part = {
        images: images.filter(({ id }) => isIn(id)),
        annotations: annotations.filter(({ image_id }) => isIn(image_id)),
      }
      writeFileSync(join(folder, `person_keypoints_${split}.json`), JSON.stringify({ ...part, categories }))
    }
    const out = join(folder, "people.png")
    const show = ["data", "show", `coco:${folder}`, "--out", out, "--json", "--task"]
    const people = await runMain([...show, "pose"])
    expect(people).toMatchObject({ code: 0 })
    const ids = JSON.parse(people.stdout).samples.map(({ id }: { id: string }) => id)
    expect(ids.toSorted()).toEqual([
      expect.stringMatching(/a\.jpg#5$/),
      expect.stringMatching(/a\.jpg#6$/),
      expect.stringMatching(/b\.jpg#7$/),
    ])
    expect(JSON.parse(people.stdout).samples[0]).toMatchObject({ joints: 2 })
    expect(JSON.parse((await runMain([...show, "detection"])).stdout).samples).toHaveLength(2)
    expect((await runMain([...show, "posing"])).code).toBe(2)
    expect(JSON.parse((await runMain(show.slice(0, -1))).stdout).samples[0]).toMatchObject({ joints: 2 })
  })

  it("draws test samples where nothing is trained on, and refuses a task that the data are not for", async () => {
    const folder = temporaryFolder()
    const picture = sharp({ create: { width: 80, height: 60, channels: 3, background: "#888888" } })
    await picture.toFile(join(folder, "a.jpg"))
    const file = join(folder, "person_keypoints_test.json")
    const images = [{ id: 1, file_name: "a.jpg", width: 80, height: 60 }]
    const person = { id: 5, image_id: 1, category_id: 1, bbox: [10, 10, 30, 40], keypoints: [20, 20, 2, 30, 40, 1] }
    const categories = [{ id: 1, name: "person", keypoints: ["left", "right"] }]
    writeFileSync(file, JSON.stringify({ images, annotations: [person], categories }))
    const show = ["data", "show", `coco:${file}`, "--out", join(folder, "people.png")]
    const { code, stdout } = await runMain(show)
    expect([code, stdout]).toEqual([0, expect.stringContaining("people.png: 1 test sample of coco:")])
    const refused = await runMain([...show, "--task", "classification"])
    expect(refused).toMatchObject({ code: 2, stdout: "" })
    expect(refused.stderr).toMatch(/expected images of one class each.*got people with joints.*preset of task pose/s)
    writeFileSync(file, JSON.stringify({ images, annotations: [], categories }))
    expect((await runMain(show)).stderr).toMatch(/at least one training person/)
  })

  it("refuses counts, sizes and files that cannot be, and unknown data, before it draws", async () => {
    const folder = temporaryFolder()
    for (const args of [
      ["-n", "0"],
      ["-n", "1000"],
      ["--image-size", "4"],
      ["--seed", "-1"],
      ["--out", folder],
    ]) {
      const { code, stderr } = await runMain(["data", "show", "shapes:40,20", ...args])
      expect(code, args.join(" ")).toBe(2)
      expect(stderr).not.toMatch(/\n +at /)
    }
    const out = join(folder, "none.png")
    expect((await runMain(["data", "show", `voc:${folder}/none`, "--out", out])).code).toBe(2)
    expect(existsSync(out)).toBe(false)
  })
})
