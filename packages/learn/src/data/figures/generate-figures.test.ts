import { createRng } from "@learnloss/engine"
import { describe, expect, it } from "vitest"
import type { Picture } from "../dataset.ts"
import { drawPosture } from "./draw-posture.ts"
import { drawLook, dressBody } from "./dress-body.ts"
import { type FigureJoint, figureJoints, figureSkeleton } from "./figure-skeleton.ts"
import { generateFigures } from "./generate-figures.ts"
import { jointsOf, poseBody } from "./pose-body.ts"
import { paintFigures } from "./scene.ts"
import type { Vector } from "./vectors.ts"

const options = { imageSize: 96, rng: createRng(0) }
const light = { direction: [0, 0, 1], ambient: 1 } as const
const noNoise = new Float32Array(2 ** 16)

function bodyOf(seed: number, changes: Partial<ReturnType<typeof drawPosture>> = {}) {
  return poseBody({ ...drawPosture(createRng(seed)), ...changes }, createRng(seed).child("body"))
}

function lengthOf(joints: readonly Vector[], [from, to]: readonly [FigureJoint, FigureJoint]): number {
  const [a, b] = [joints[figureJoints.indexOf(from)]!, joints[figureJoints.indexOf(to)]!]
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

describe("figureSkeleton", () => {
  it("pairs every joint but neck and head top, left first, and joins all of them", () => {
    const { names, bones, pairs } = figureSkeleton
    expect(pairs.map((pair) => pair.map((joint) => names[joint]).join())).toEqual(
      ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"].map((part) => `left_${part},right_${part}`),
    )
    expect(bones).toHaveLength(14)
    expect(new Set(bones.flat()).size).toBe(14)
  })
})

describe("poseBody", () => {
  it("has limbs of the same length on both sides, within natural limits, however it is held", () => {
    for (let seed = 0; seed < 200; seed++) {
      const joints = jointsOf(bodyOf(seed))
      for (const [from, to] of [
        ["shoulder", "elbow"],
        ["elbow", "wrist"],
        ["hip", "knee"],
        ["knee", "ankle"],
      ]) {
        const [left, right] = (["left", "right"] as const).map((side) =>
          lengthOf(joints, [`${side}_${from}` as FigureJoint, `${side}_${to}` as FigureJoint]),
        )
        expect(left).toBeCloseTo(right!, 9)
        expect(left).toBeGreaterThan(0.12)
        expect(left).toBeLessThan(0.3)
      }
      // Elbows and knees do not fold into themselves.
      for (const side of ["left", "right"] as const) {
        expect(lengthOf(joints, [`${side}_shoulder`, `${side}_wrist`])).toBeGreaterThan(0.06)
        expect(lengthOf(joints, [`${side}_hip`, `${side}_ankle`])).toBeGreaterThan(0.1)
      }
    }
  })

  it("has its left side to the right when it faces the viewer, and to the left when it turns away", () => {
    for (let seed = 0; seed < 40; seed++) {
      for (const [yaw, sign] of [
        [0, 1],
        [180, -1],
      ] as const) {
        const { left, right, head } = bodyOf(seed, { yaw, roll: 0, pitch: 0, lean: 0, turn: 0 })
        expect(Math.sign(left.shoulder[0] - right.shoulder[0])).toBe(sign)
        expect(Math.sign(left.hip[0] - right.hip[0])).toBe(sign)
        expect(Math.sign(head.forward[2])).toBe(sign)
      }
    }
  })
})

describe("dressBody", () => {
  it("shows a face in front and hair behind, which tell left from right", () => {
    for (let seed = 0; seed < 20; seed++) {
      const look = drawLook(createRng(seed))
      const colourOf = (yaw: number) => {
        const body = bodyOf(seed, { yaw, roll: 0, tilt: 0, pitch: 0, lean: 0, nod: 0, turn: 0 })
        const { head } = dressBody(body, look, { size: 80, place: [64, 64], light })
        const [x1, y1, x2, y2] = head.bounds
        return head.colour((x1 + x2) / 2, (y1 + y2) / 2)
      }
      expect(colourOf(0)).toEqual(look.head.skin)
      expect(colourOf(180)).toEqual(look.head.hair)
    }
  })
})

describe("paintFigures", () => {
  it("says where every joint is: inside the box, in the picture, and hidden only where something covers it", () => {
    const counts = [0, 0, 0]
    let two = 0
    for (let seed = 0; seed < 150; seed++) {
      const { picture, people } = paintFigures(noNoise, createRng(seed))
      if (people.length === 2) two++
      for (const { joints, box, area, head, crop, width, height } of people) {
        expect([width, height]).toEqual([picture.width, picture.height])
        const [x1, y1, x2, y2] = box!
        expect(Math.min(x1, y1)).toBeGreaterThanOrEqual(0)
        expect(x2 <= width && y2 <= height).toBe(true)
        for (const { x, y, visibility } of joints) {
          counts[visibility]!++
          if (visibility > 0) expect(x >= x1 && x <= x2 && y >= y1 && y <= y2).toBe(true)
        }
        expect(joints[13]!.visibility).toBeGreaterThan(0)
        expect(crop.side).toBeCloseTo(1.25 * Math.max(x2 - x1, y2 - y1), 9)
        expect(area).toBeGreaterThan(100)
        expect(area).toBeLessThan((x2 - x1) * (y2 - y1))
        // A head is between a tenth and half of what is seen of a person.
        expect(head!.length / Math.max(x2 - x1, y2 - y1)).toBeGreaterThan(0.06)
        expect(head!.length / Math.max(x2 - x1, y2 - y1)).toBeLessThan(0.3)
      }
    }
    const [outside, hidden, seen] = counts as [number, number, number]
    expect(outside).toBeGreaterThan(0)
    expect(outside / seen).toBeLessThan(0.05)
    expect(hidden / seen).toBeGreaterThan(0.1)
    expect(hidden / seen).toBeLessThan(0.4)
    expect(Math.abs(two - 30)).toBeLessThan(4 * Math.sqrt(24))
  })
})

describe("generateFigures", () => {
  it("draws as many people as are asked for, who share pictures, with ids that say so", async () => {
    const { train, test, classNames, skeleton, imageShape } = await generateFigures("60,20", options)
    expect([train.ids.length, test.ids.length]).toEqual([60, 20])
    expect(classNames).toEqual(skeleton.names)
    expect(imageShape).toEqual({ channels: 3, height: 96, width: 96 })
    expect(new Set(train.ids).size).toBe(60)
    for (const [position, { imageId }] of train.targets.entries()) {
      expect(train.ids[position]).toMatch(new RegExp(`^${imageId}#[01]$`))
    }
    const second = train.ids.findIndex((id) => id.endsWith("#1"))
    expect(train.picture(second)).toBe(train.picture(second - 1))
    expect(train.targets[second]!.joints).not.toEqual(train.targets[second - 1]!.joints)
    expect(() => train.picture(60)).toThrow(RangeError)
  })

  it("draws the same by the same seed, however many are drawn", async () => {
    const few = await generateFigures("10,10", options)
    const more = await generateFigures("13,10", options)
    const other = await generateFigures("10,10", { ...options, rng: createRng(1) })
    const pixels = (dataset: typeof few, position: number) => (dataset.train.picture(position) as Picture).pixels
    for (let position = 0; position < 10; position++) {
      expect(few.train.ids[position]).toBe(more.train.ids[position])
      expect(Buffer.compare(pixels(few, position), pixels(more, position))).toBe(0)
      expect(few.train.targets[position]).toEqual(more.train.targets[position])
    }
    expect(few.test.targets).toEqual(more.test.targets)
    expect(pixels(few, 0)).not.toEqual(pixels(other, 0))
    expect(pixels(few, 0)).not.toEqual((few.test.picture(0) as Picture).pixels)
  })

  it("refuses sizes that are none", async () => {
    await expect(generateFigures("10", options)).rejects.toThrow(/figures:2000,500/)
    await expect(generateFigures("10,99999", options)).rejects.toMatchObject({ code: "BAD_SIZE" })
  })
})
