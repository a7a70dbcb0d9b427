import { describe, expect, it } from "vitest"
import { runConfigSchema } from "./config.ts"
import { knownPaths } from "./known-paths.ts"

describe("knownPaths", () => {
  it("finds keys below defaults and in each form of a union, once each", () => {
    const paths = knownPaths(runConfigSchema)
    expect(paths).toEqual(expect.arrayContaining(["seed", "budget", "budget.perCycle", "training.schedule.milestones"]))
    expect(paths.filter((path) => path === "training.schedule.kind")).toHaveLength(1)
  })
})
