import { describe, expect, it } from "vitest"
import { pairByName, readJoint, unpairedJoints } from "./joints.ts"

describe("pairByName", () => {
  it.each([
    ["left_knee", "right_knee"],
    ["l_knee", "r_knee"],
    ["left knee", "right knee"],
    ["KNEE.LEFT", "KNEE.RIGHT"],
    ["LEFT_KNEE", "RIGHT_KNEE"],
    ["leftKnee", "rightKnee"],
    ["LKnee", "RKnee"],
    ["leftknee", "rightknee"],
    ["Knee-L", "Knee-R"],
  ])("takes %s and %s for a pair, left first", (left, right) => {
    expect(pairByName([right, "nose", left])).toEqual({ pairs: [[2, 0]], unpaired: [] })
  })

  it("takes no other words for a side, and names joints whose other side lacks or is there twice", () => {
    expect(pairByName(["neck", "head_top", "lumbar", "rump", "l1", "leg"])).toEqual({ pairs: [], unpaired: [] })
    const names = ["left_eye", "right_ear", "left_knee", "right_knee", "R Knee"]
    expect(pairByName(names)).toEqual({ pairs: [], unpaired: names })
    expect(unpairedJoints({ names, pairs: [[2, 3]] })).toEqual(["left_eye", "right_ear", "R Knee"])
  })
})

describe("readJoint", () => {
  it("keeps what is labelled, and marks as unreadable what is no number or no visibility", () => {
    expect(readJoint(1.5, -2, 1)).toEqual({ x: 1.5, y: -2, visibility: 1 })
    expect(readJoint(null, undefined, 0)).toEqual({ x: 0, y: 0, visibility: 0 })
    const wrong: readonly [unknown, unknown, unknown][] = [
      [1, 2, 3],
      [1, "2", 2],
      [1, null, 1],
      [1, 2, undefined],
      [Number.POSITIVE_INFINITY, 1, 2],
    ]
    for (const [x, y, visibility] of wrong)
      expect(readJoint(x, y, visibility)).toEqual({ x: Number.NaN, y: Number.NaN, visibility: 1 })
  })
})
