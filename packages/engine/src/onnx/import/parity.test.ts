import { readdirSync } from "node:fs"
import { describe, test } from "vitest"
import { expectParity, fixtureFolder, readFixture } from "./parity.test-suite.ts"

const names = readdirSync(fixtureFolder).flatMap((file) => (file.endsWith(".json") ? [file.replace(".json", "")] : []))

describe.each(names)("%s beside PyTorch", (name) => {
  test("has the parameters, the loss, every gradient, ten steps and the evaluation after them", async () => {
    await expectParity(readFixture(name))
  })
})
