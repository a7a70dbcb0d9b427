import { probeShapes } from "@learnloss/engine"
import type { WrittenModel } from "@learnloss/engine/testing"
import { describe, expect, it } from "vitest"
import { decoded, smallNetwork } from "../../frozen/networks.test-suite.ts"
import { chooseTaps } from "./taps.ts"

async function taps(names?: readonly string[], network: WrittenModel = smallNetwork) {
  const model = decoded(network)
  return chooseTaps(model, await probeShapes(model), names ?? null)
}

describe("taps", () => {
  it("suggest themselves: the last map of each resolution", async () => {
    expect(await taps()).toEqual([
      { name: "map", layout: "channels-first", channels: 8 },
      { name: "deep", layout: "channels-first", channels: 8 },
    ])
  })

  it("may be any values with a row for each image, each read once", async () => {
    expect(await taps(["c1", "embedding", "c1", "image"])).toEqual([
      { name: "c1", layout: "channels-first", channels: 8 },
      { name: "embedding", layout: "channels-first", channels: 8 },
      { name: "image", layout: "channels-first", channels: 3 },
    ])
  })

  it("of three axes have their channels last", async () => {
    const tokens: WrittenModel = {
      ...smallNetwork,
      initializers: {
        ...smallNetwork.initializers,
        shape: { dtype: "int64", shape: [3], data: BigInt64Array.of(0n, 4n, -1n) },
      },
      nodes: [...smallNetwork.nodes, { op: "Reshape", inputs: ["map", "shape"], outputs: ["tokens"] }],
    }
    expect(await taps(["tokens"], tokens)).toEqual([{ name: "tokens", layout: "channels-last", channels: 128 }])
  })

  it("have to exist: the nearest name is told", async () => {
    await expect(taps(["depe"])).rejects.toThrow(/tap "depe".*Did you mean "deep"\?/)
    const unlike = taps(["nothing like it"])
    await expect(unlike).rejects.toThrow(expect.objectContaining({ code: "TAP_UNKNOWN" }))
    await expect(unlike).rejects.toThrow(/`learnloss model inspect` suggests "map", "deep"\./)
    await expect(taps(["head"])).rejects.toThrow(/stored weight/)
  })

  it("need a batch and numbers that are floats", async () => {
    const network: WrittenModel = {
      ...smallNetwork,
      nodes: [
        ...smallNetwork.nodes,
        { op: "ReduceMean", inputs: ["map"], outputs: ["one"], attributes: { keepdims: 0 } },
        { op: "Transpose", inputs: ["embedding"], outputs: ["turned"], attributes: { perm: [1, 0] } },
        { op: "ArgMax", inputs: ["map"], outputs: ["places"], attributes: { axis: 1 } },
        { op: "Shape", inputs: ["map"], outputs: ["size"] },
      ],
    }
    await expect(taps(["one"], network)).rejects.toThrow(/float32 \[\], without a batch/)
    await expect(taps(["turned"], network)).rejects.toThrow(/\[8, 2\], with the batch on axis 1/)
    await expect(taps(["places"], network)).rejects.toThrow(/int64/)
    await expect(taps(["size"], network)).rejects.toThrow(expect.objectContaining({ code: "TAP_UNFIT" }))
  })

  it("are asked for where none suggests itself", async () => {
    const plain: WrittenModel = {
      opset: 13,
      inputs: [{ name: "image", shape: ["N", 3, 8, 8] }],
      nodes: [{ op: "Flatten", inputs: ["image"], outputs: ["flat"] }],
      outputs: ["flat"],
    }
    await expect(taps(undefined, plain)).rejects.toThrow(expect.objectContaining({ code: "NO_TAPS" }))
  })
})
