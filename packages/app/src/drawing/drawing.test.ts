import type { Picture, Skeleton } from "@learnloss/learn"
import sharp from "sharp"
import { describe, expect, test } from "vitest"
import { boxesSvg } from "./boxes-svg.ts"
import { classColour, inkOn } from "./class-colours.ts"
import { drawPicture } from "./draw-picture.ts"
import { detectedBoxes, labeledBoxes } from "./drawn-boxes.ts"
import { foundSkeleton, labelledSkeleton } from "./drawn-skeletons.ts"
import { sideLegend, skeletonLegend } from "./legend.ts"
import { pictureSheet } from "./picture-sheet.ts"
import { sideColours, skeletonsSvg } from "./skeleton-svg.ts"

function grey(width: number, height: number): Picture {
  return { width, height, pixels: new Uint8Array(width * height * 3).fill(128) }
}

async function pixelsOf(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
  return { width: info.width, height: info.height, at }
}

const rgb = (colour: string) => [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))

describe("colours of classes", () => {
  test("are all different, far apart for the first twenty, and carry readable letters", () => {
    const colours = Array.from({ length: 91 }, (_, index) => classColour(index))
    expect(new Set(colours).size).toBe(91)
    for (const colour of colours) expect(colour).toMatch(/^#[0-9a-f]{6}$/)
    for (const [index, colour] of colours.slice(0, 20).entries()) {
      for (const other of colours.slice(0, index)) {
        const apart = Math.hypot(...rgb(colour).map((value, channel) => value - rgb(other)[channel]!))
        expect(apart, `${colour} and ${other}`).toBeGreaterThan(50)
      }
    }
    expect(inkOn("#ffd60a")).toBe("#000000")
    expect(inkOn("#00592b")).toBe("#ffffff")
  })
})

describe("a picture with boxes", () => {
  test("has the line of each box inside its edges, in the colour of its class", async () => {
    const boxes = labeledBoxes(
      {
        width: 640,
        height: 480,
        boxes: [
          { classIndex: 1, box: [100, 100, 300, 400], isDifficult: false },
          { classIndex: 3, box: [350, 200, 640, 480], isDifficult: false },
        ],
      },
      ["a", "b", "c", "d"],
    )
    const { width, height, at } = await pixelsOf(await drawPicture({ picture: grey(640, 480), boxes }))
    expect([width, height]).toEqual([640, 480])
    for (const [x, y, classIndex] of [
      [100, 250, 1],
      [299, 250, 1],
      [200, 399, 1],
      [639, 300, 3],
      [400, 479, 3],
    ] as const) {
      for (const [channel, value] of at(x, y).entries()) {
        expect(Math.abs(value - rgb(classColour(classIndex))[channel]!), `${x},${y}: ${at(x, y)}`).toBeLessThan(12)
      }
    }
    expect(at(200, 250)).toEqual([128, 128, 128])
    expect(at(320, 300)).toEqual([128, 128, 128])
  })

  test("says names and scores of what was found, the surest first, and dashes difficult objects", () => {
    const found = detectedBoxes(
      [
        { classIndex: 0, score: 0.4, box: [0, 0, 5, 5] },
        { classIndex: 1, score: 0.987, box: [0, 0, 9, 9] },
      ],
      ["cat"],
    )
    expect(found.map(({ label }) => label)).toEqual(["1 0.99", "cat 0.40"])
    const target = { width: 9, height: 9, boxes: [{ classIndex: 0, box: [0, 0, 5, 5], isDifficult: true }] } as const
    expect(labeledBoxes(target, ["cat"])).toEqual([{ classIndex: 0, box: [0, 0, 5, 5], label: "cat", isDashed: true }])
  })

  test("writes names as text that cannot become part of the drawing", () => {
    const box = { classIndex: 0, box: [10, 30, 90, 90], label: '<script>&"\u0007' } as const
    const svg = boxesSvg({ width: 400, height: 100 }, [box], { fontSize: 11, lineWidth: 2, dropsCrowdedLabels: false })
    expect(svg).toContain("&lt;script&gt;&amp;&quot; <")
    expect(svg).not.toContain("<script")
  })
})

describe("a person", () => {
  const skeleton: Skeleton = {
    names: ["head", "left_hand", "right_hand", "right_foot"],
    bones: [
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 3],
    ],
    pairs: [[1, 2]],
  }
  const joints = [
    { x: 100, y: 40, visibility: 2 },
    { x: 160, y: 100, visibility: 2 },
    { x: 40, y: 100, visibility: 1 },
    { x: 0, y: 0, visibility: 0 },
  ] as const

  test("has bones in the colours of the sides and none to joints that nobody marked", async () => {
    const drawn = labelledSkeleton({ joints }, skeleton)
    expect(drawn.joints.map((joint) => joint && [joint.side, joint.isHollow])).toEqual([
      ["middle", false],
      ["left", false],
      ["right", true],
      null,
    ])
    const svg = skeletonsSvg([drawn], { lineWidth: 4 })
    expect(svg.split("<line").length - 1).toBe(2 * 3)
    expect(svg.split("<circle").length - 1).toBe(3)
    // Both bones of the hidden hand.
    expect(svg.split("stroke-dasharray").length - 1).toBe(2)
    // Drawn 320 pixels wide: the middle of the bone from the head to the left hand, and a place beside it.
    const picture = { picture: grey(200, 120), boxes: [], skeletons: [drawn] }
    const { at } = await pixelsOf(await drawPicture(picture))
    expect(at(208, 112)).toEqual(rgb(sideColours.left))
    expect(at(208, 30)).toEqual([128, 128, 128])
  })

  test("has what its colours mean below it, and every place in the picture as before", async () => {
    const picture = { picture: grey(400, 300), boxes: [], skeletons: [labelledSkeleton({ joints }, skeleton)] }
    const unsure = { name: "hollow", colour: "#9aa5b1", isHollow: true }
    const explained = await pixelsOf(await drawPicture(picture, [...sideLegend, unsure]))
    const bare = await pixelsOf(await drawPicture(picture))
    expect([bare.height, explained.width]).toEqual([300, 400])
    expect(explained.height).toBeGreaterThan(320)
    for (const [x, y] of [[130, 70] as const, [20, 280] as const]) expect(explained.at(x, y)).toEqual(bare.at(x, y))
    expect(explained.at(18, 318)).toEqual(rgb(sideColours.left))
    expect(explained.at(2, 302)).toEqual([255, 255, 255])
  })

  test("says in the legend what hollow joints mean, of marked people and of found ones", () => {
    const marked = labelledSkeleton({ joints }, skeleton)
    const found = foundSkeleton([{ x: 1, y: 2, score: 0.1 }], skeleton)
    const names = (...people: (typeof marked)[]) => skeletonLegend(people).map(({ name }) => name)
    const sides = ["left", "right", "middle"]
    expect(names(marked, marked)).toEqual([...sides, "hollow: hidden"])
    expect(names(found)).toEqual([...sides, "hollow: score below 0.2"])
    expect(names(marked, found)).toEqual([...sides, "hollow: hidden", "hollow: score below 0.2"])
    expect(names()).toEqual([])
  })

  test("has hollow joints where a network is not sure", () => {
    const found = foundSkeleton(
      joints.map(({ x, y }, joint) => ({ x, y, score: [0.9, 0.21, 0.19, 0][joint]! })),
      skeleton,
    )
    expect(found.joints.map((joint) => joint?.isHollow)).toEqual([false, false, true, true])
  })

  test("lies over whoever else is in the picture, with what the network sees in dashes", () => {
    const [one, other] = [
      { ...labelledSkeleton({ joints }, skeleton), frame: [1, 2, 11, 12] as const },
      { ...labelledSkeleton({ joints }, skeleton), isFaint: true },
    ]
    const svg = skeletonsSvg([one, other], { lineWidth: 2 })
    expect(svg.startsWith('<g opacity="0.45">')).toBe(true)
    expect(svg.indexOf("</g>")).toBeLessThan(svg.indexOf('<rect x="1" y="2" width="10" height="10"'))
  })

  test("of no marked joint is nothing", () => {
    expect(skeletonsSvg([labelledSkeleton({ joints: [joints[3]] }, skeleton)], { lineWidth: 2 })).toBe("")
  })
})

describe("labels", () => {
  const labels = (count: number, side: number, dropsCrowdedLabels: boolean) => {
    const boxes = Array.from({ length: count }, (_, index) => {
      const [x, y] = [(index % 8) * 50, 50 + Math.floor(index / 8) * 60]
      return { classIndex: 0, box: [x, y, x + side, y + side], label: "cell" } as const
    })
    const style = { fontSize: 11, lineWidth: 2, dropsCrowdedLabels }
    return boxesSvg({ width: 400, height: 400 }, boxes, style).split("<text").length - 1
  }

  test("are left out where many of them would hide their boxes, if that is wanted", () => {
    expect(labels(7, 20, true)).toBe(0)
    expect(labels(7, 20, false)).toBe(7)
    expect(labels(7, 45, true)).toBe(7)
    expect(labels(6, 20, true)).toBe(6)
  })
})

describe("a sheet of pictures", () => {
  test("shows each picture whole, with the legend of the classes above", async () => {
    const box = { classIndex: 1, box: [5, 5, 50, 50], label: "b" } as const
    const cells = [
      { picture: grey(100, 50), boxes: [box], caption: "wide" },
      { picture: grey(50, 100), boxes: [], caption: "high" },
      { picture: grey(20, 20), boxes: [], caption: "a very long name of a file that does not fit" },
    ]
    const png = await pictureSheet(cells, { columns: 2, side: 200, classNames: ["a", "b"] })
    const { width, height, at } = await pixelsOf(png)
    expect([width, height]).toEqual([10 + 2 * 210, 10 + 24 + 2 * (200 + 22 + 10)])
    expect(at(18, 18)).toEqual(rgb(classColour(1)))
    // The wide one stands in the middle of its row.
    expect(at(150, 34 + 100)).toEqual([128, 128, 128])
    expect(at(150, 34 + 20)).toEqual([255, 255, 255])
    expect(at(320, 34 + 190)).toEqual([128, 128, 128])
    expect(at(100, 34 + 232 + 100)).toEqual([128, 128, 128])
  })

  test("of no pictures is still a picture", async () => {
    const { width } = await pixelsOf(await pictureSheet([], { columns: 4, side: 100, classNames: [] }))
    expect(width).toBeGreaterThan(50)
  })
})
