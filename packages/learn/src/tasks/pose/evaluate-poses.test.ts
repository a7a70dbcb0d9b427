import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import type { Box } from "../../data/boxes.ts"
import type { PersonTarget, Pose, Visibility } from "../../data/people.ts"
import { evaluatePoses, measuredJoints, type PoseMetrics } from "./evaluate-poses.ts"

/** What `fixtures/make-pose-metrics.py` writes. */
interface Stored {
  cases: {
    name: string
    names: string[]
    people: {
      image: string
      joints: [x: number, y: number, visibility: Visibility][]
      crop: [x: number, y: number, side: number]
      box: Box | null
      area: number | null
      head: number | null
      pose: [x: number, y: number][]
      score: number
    }[]
    expected: Omit<PoseMetrics, "headSizeFrom">
  }[]
}

const file = new URL("../../../../../fixtures/pose-metrics.json", import.meta.url)
const stored = JSON.parse(readFileSync(file, "utf8")) as Stored
type StoredPerson = Stored["cases"][number]["people"][number]

function targetOf({ image, joints, crop: [x, y, side], box, area, head }: StoredPerson): PersonTarget {
  return {
    width: 640,
    height: 480,
    joints: joints.map(([jointX, jointY, visibility]) => ({ x: jointX, y: jointY, visibility })),
    crop: { center: [x, y], side },
    box,
    area,
    head: head === null ? null : { length: head, from: "head box" },
    imageId: image,
  }
}

function poseOf({ pose, score }: StoredPerson): Pose {
  return { joints: pose.map(([x, y]) => ({ x, y, score })), score }
}

const cases = stored.cases.map(({ people, ...rest }) => ({
  ...rest,
  people: people.map(targetOf),
  found: people.map(poseOf),
}))

function caseOf(name: string) {
  const found = cases.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

/** Every number of a tree must be within 1e-9, everything else equal. */
function expectClose(found: unknown, expected: unknown): void {
  if (typeof expected === "number") expect(Math.abs((found as number) - expected)).toBeLessThan(1e-9)
  else if (typeof expected !== "object" || expected === null) expect(found).toBe(expected)
  else {
    expect(Object.keys(found as object)).toEqual(Object.keys(expected))
    for (const [key, value] of Object.entries(expected)) expectClose((found as Record<string, unknown>)[key], value)
  }
}

describe("measures of poses", () => {
  test("have cases of every kind", () => {
    expect(cases.length).toBe(6)
    expect(cases.filter(({ expected }) => expected.PCKh !== null).length).toBe(2)
    expect(cases.filter(({ expected }) => expected.oks !== null).length).toBe(3)
  })

  test.each(cases)("are those of the rules by brute force: $name", ({ found, people, names, expected }) => {
    const { headSizeFrom, ...computed } = evaluatePoses(found, people, names)
    expectClose(computed, expected)
    expect(headSizeFrom).toBe(expected.PCKh === null ? null : "head box")
  })

  test("are perfect for poses that are the labels", () => {
    const { people, names } = caseOf("COCO's people")
    const found = people.map(({ joints, crop: { center, side } }): Pose => {
      const shares = joints.map(({ x, y }) => ({
        x: (x - center[0]) / side + 0.5,
        y: (y - center[1]) / side + 0.5,
        score: 1,
      }))
      return { joints: shares, score: 1 }
    })
    const { PCK, oks } = evaluatePoses(found, people, names)
    expect(PCK).toBe(1)
    expect(oks?.ap).toBeCloseTo(1, 12)
  })

  test("count a joint that is off by just what is allowed, and none that is further off", () => {
    const { people, names } = caseOf("MPII's people")
    const person = people.find(({ joints }) => (joints[0]?.visibility ?? 0) > 0) as PersonTarget
    const one = {
      ...person,
      crop: { center: [32, 32], side: 64 } as const,
      head: { length: 10, from: "head box" } as const,
      joints: names.map((_, index) => ({ x: 32, y: 32, visibility: index === 0 ? (2 as const) : (0 as const) })),
    }
    const at = (x: number): Pose => ({ joints: names.map(() => ({ x: 0.5 + x / 64, y: 0.5, score: 1 })), score: 1 })
    expect(evaluatePoses([at(5)], [one], names).PCKh).toBe(1)
    expect(evaluatePoses([at(5.001)], [one], names).PCKh).toBe(0)
    expect(evaluatePoses([at(1)], [one], names).PCKh01).toBe(1)
  })

  test("leave pelvis and thorax out of the mean, as MPII does, and say where heads were measured", () => {
    expect(measuredJoints(["Pelvis", "thorax", "upper_neck", "r_hip"])).toEqual([false, false, true, true])
    const { found, people, names } = caseOf("MPII's people")
    const from = (origins: readonly ("head box" | "neck to head top")[]) =>
      people.map((person, index) => ({
        ...person,
        head: { length: 20, from: origins[index % origins.length] as "head box" },
      }))
    expect(evaluatePoses(found, from(["neck to head top"]), names).headSizeFrom).toBe("neck to head top")
    expect(evaluatePoses(found, from(["neck to head top", "head box"]), names).headSizeFrom).toBe("both")
  })

  test("have no similarity where the spread of a joint is unknown", () => {
    const { found, people, names } = caseOf("COCO's people")
    expect(evaluatePoses(found, people, names).oks).not.toBeNull()
    expect(evaluatePoses(found, people, ["antler", ...names.slice(1)]).oks).toBeNull()
  })

  test("refuse another number of poses than of people", () => {
    const { found, people, names } = caseOf("COCO's people")
    expect(() => evaluatePoses(found.slice(1), people, names)).toThrow(/one for each person/)
  })
})
