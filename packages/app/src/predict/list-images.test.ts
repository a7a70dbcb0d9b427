import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { listImages } from "./list-images.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-list-"))
beforeAll(() => {
  mkdirSync(join(root, "photos", "deep", "deeper"), { recursive: true })
  mkdirSync(join(root, "empty"))
  const names = ["b.jpg", "a.PNG", "notes.txt", "deep/c.jpg", "deep/c1.jpeg", "deep/deeper/d.webp", ".hidden.jpg"]
  for (const name of [...names, "with[1].jpg"]) writeFileSync(join(root, "photos", name), "")
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const names = async (...given: string[]) =>
  (await listImages(given.map((each) => join(root, each)))).map(({ name }) => name)

test("a folder stands for all images below it, in the order of their names", async () => {
  expect(await names("photos")).toEqual([
    "a.PNG",
    "b.jpg",
    "deep/c.jpg",
    "deep/c1.jpeg",
    "deep/deeper/d.webp",
    "with[1].jpg",
  ])
})

test("a file is taken whatever its name, there or not, and each file once", async () => {
  expect(await names("nowhere.jpg")).toEqual(["nowhere.jpg"])
  expect(await names("photos/notes.txt", "photos/b.jpg", "photos/*.jpg")).toEqual(["notes.txt", "b.jpg", "with[1].jpg"])
})

test.each([
  ["photos/*.jpg", ["b.jpg", "with[1].jpg"]],
  ["photos/deep/c?.jpeg", ["c1.jpeg"]],
  ["photos/**/*.jpg", ["b.jpg", "deep/c.jpg", "with[1].jpg"]],
  ["photos/**", ["a.PNG", "b.jpg", "deep/c.jpg", "deep/c1.jpeg", "deep/deeper/d.webp", "with[1].jpg"]],
  ["*/deep/*.jp*", ["photos/deep/c.jpg", "photos/deep/c1.jpeg"]],
  ["photos/with[1].*", ["with[1].jpg"]],
])("the pattern %s is filled in where no shell did", async (pattern, expected) => {
  expect(await names(pattern)).toEqual(expected)
})

test.each([
  ["photos/*.gif", /expected a pattern that images fit, got none that does/],
  ["nowhere/*.jpg", /got none that does/],
  ["empty", /images .* in this folder or below it, got none/],
])("%s is refused, since it names no image", async (argument, reason) => {
  await expect(listImages([join(root, argument)])).rejects.toThrow(reason)
})
