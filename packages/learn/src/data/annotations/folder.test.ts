import { describe, expect, it } from "vitest"
import { safePath, stemOf } from "./folder.ts"

describe("safePath", () => {
  it.each([
    ["a.jpg", "a.jpg"],
    ["./images/a b.jpg", "images/a b.jpg"],
    ["images\\1.jpg", "images/1.jpg"],
    ["a/../b.jpg", "b.jpg"],
    ["..a.jpg", "..a.jpg"],
  ])("keeps %j inside", (text, path) => {
    expect(safePath(text)).toBe(path)
  })

  it.each(["../a.jpg", "a/../../b.jpg", "..\\a.jpg", "/etc/passwd", "C:\\a.jpg", "c:a", "", ".", "..", "a\0.jpg"])(
    "refuses %j",
    (text) => {
      expect(safePath(text)).toBeUndefined()
    },
  )
})

describe("stemOf", () => {
  it("takes folder and extension off, and composes accents", () => {
    expect(stemOf("a/b.c.jpg")).toBe("b.c")
    expect(stemOf("e\u0301.png")).toBe("\u00e9")
  })
})
