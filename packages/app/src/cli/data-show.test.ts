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
