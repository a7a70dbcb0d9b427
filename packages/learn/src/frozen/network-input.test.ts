import type { WrittenModel, WrittenValue } from "@learnloss/engine/testing"
import { describe, expect, it } from "vitest"
import { findImageInput, type InputSettings, settlePreprocessing } from "./network-input.ts"
import { decoded, smallNetwork } from "./networks.test-suite.ts"

const withInputs = (inputs: readonly WrittenValue[], metadata: Record<string, string> = {}): WrittenModel => ({
  ...smallNetwork,
  inputs,
  metadata,
})
const find = (shape: WrittenValue["shape"], settings: InputSettings = {}, dtype: WrittenValue["dtype"] = "float32") =>
  findImageInput(
    decoded(withInputs([shape === undefined ? { name: "image" } : { name: "image", shape, dtype }])),
    settings,
  )

describe("a network's image input", () => {
  it("is found in either layout, with one or three channels, of floats or bytes", () => {
    expect(find([1, 3, 32, 48])).toMatchObject({ layout: "channels-first", channels: 3, height: 32, width: 48 })
    expect(find(["N", 28, 30, 1])).toMatchObject({ layout: "channels-last", channels: 1, height: 28, width: 30 })
    expect(find(["N", 1, 28, 28])).toMatchObject({ layout: "channels-first", channels: 1 })
    expect(find(["N", 3, 9, 9], {}, "uint8")).toMatchObject({ dataType: "uint8" })
    expect(find(["N", null, "h", "w"], { imageSize: { height: 5, width: 6 } })).toMatchObject({
      layout: "channels-first",
      channels: 3,
      height: 5,
      width: 6,
    })
  })

  it("has the size that the user or Ultralytics gives where the file leaves it open", () => {
    const open = ["N", 3, "h", "w"] as const
    expect(() => find(open)).toThrow(expect.objectContaining({ code: "IMAGE_SIZE_OPEN" }))
    expect(() => find(undefined)).toThrow(/--image-size 224/)
    const yolo = decoded(withInputs([{ name: "image", shape: open }], { imgsz: "[480, 640]" }))
    expect(findImageInput(yolo, {})).toMatchObject({ height: 480, width: 640 })
    expect(() => find([1, 3, 32, 32], { imageSize: { height: 64, width: 64 } })).toThrow(/expected 32x32.*got 64x64/)
  })

  it.each([
    [
      "no input",
      { ...withInputs([]), nodes: [{ op: "Relu", inputs: ["first"], outputs: ["logits"] }] },
      /one input.*got none/,
    ],
    [
      "two inputs",
      withInputs([
        { name: "image", shape: [1, 3, 8, 8] },
        { name: "mask", shape: [1] },
      ]),
      /image, mask/,
    ],
    ["four channels", withInputs([{ name: "image", shape: [1, 4, 8, 8] }]), /1 or 3 channels.*\[1, 4, 8, 8\]/],
    ["text", withInputs([{ name: "image", shape: [1, 12], dtype: "int64" }]), /float32 or uint8.*int64/],
    ["a sequence", withInputs([{ name: "image", shape: ["N", 4, 64] }]), /\[N, 4, 64\]/],
  ])("is refused: %s", (_, network, message) => {
    expect(() => findImageInput(decoded(network), { imageSize: { height: 8, width: 8 } })).toThrow(message)
  })
})

describe("preprocessing", () => {
  const settle = (settings: InputSettings, outputs = [[2, 10]], metadata = {}, shape = ["N", 3, 8, 8]) => {
    const model = decoded(withInputs([{ name: "image", shape }], metadata))
    return settlePreprocessing(model, findImageInput(model, settings), outputs, settings)
  }

  it("is that of classifiers for a row of scores, that of detectors for anything with positions", () => {
    const { preprocessing, notice } = settle({})
    expect(preprocessing).toMatchObject({ fit: "cover", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })
    expect(notice).toMatch(/8x8 RGB, cover.*chosen here: --fit --mean --std/)
    expect(settle({}, [[2, 84, 8400]]).preprocessing.fit).toBe("letterbox")
  })

  it("is that of Ultralytics where the file says so", () => {
    const { preprocessing } = settle({}, [[2, 84, 8400]], { author: "Ultralytics" })
    expect(preprocessing).toMatchObject({ fit: "letterbox", mean: [0, 0, 0], std: [1, 1, 1] })
  })

  it("is what the user says, one value for all channels or one for each", () => {
    const { preprocessing, notice } = settle({ fit: "stretch", mean: [0.5], std: [0.1, 0.2, 0.3] })
    expect(preprocessing).toMatchObject({ fit: "stretch", mean: [0.5, 0.5, 0.5], std: [0.1, 0.2, 0.3] })
    expect(notice).not.toContain("chosen here")
    expect(settle({}, undefined, {}, ["N", 1, 8, 8]).preprocessing).toMatchObject({ mean: [0], std: [1] })
  })

  it("is that of the file's metadata where learnloss wrote it, and only there", () => {
    const metadata = { mean: "[0.1, 0.2, 0.3]", std: "[1, 2, 3]" }
    const written = { ...withInputs([{ name: "image", shape: ["N", 3, 8, 8] }], metadata), producer: "learnloss" }
    const model = decoded(written)
    const { preprocessing } = settlePreprocessing(model, findImageInput(model, {}), [[2, 10]], {})
    expect(preprocessing).toMatchObject({ mean: [0.1, 0.2, 0.3], std: [1, 2, 3] })
    expect(settle({}, [[2, 10]], metadata).preprocessing.mean).toEqual([0.485, 0.456, 0.406])
  })

  it.each([
    [{ mean: [0, 0] }, /--mean: expected one value or three, got 2/],
    [{ std: [1, 0, 1] }, /--std: expected values above 0/],
    [{ std: [-1] }, /above 0/],
  ])("refuses %j", (settings, message) => {
    expect(() => settle(settings)).toThrow(message)
  })
})
