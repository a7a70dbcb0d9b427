import { describe, expect, test } from "vitest"
import { findFinalSoftmax } from "../endings.ts"
import { dynamoVit } from "./dynamo-vit.test-suite.ts"
import { kerasNetwork } from "./keras-network.test-suite.ts"
import { expectParity, readFixture } from "./parity.test-suite.ts"

describe("a network of Keras, as tf2onnx writes it,", () => {
  const fixture = readFixture("cnn-training")

  test.each([11, 13, 18])("trains as PyTorch trains the same network, at opset %i", async (opset) => {
    await expectParity(fixture, kerasNetwork(fixture, opset))
  })

  test("ends with probabilities, whose scores are found", () => {
    const { model, output } = kerasNetwork(fixture, 13)
    expect(findFinalSoftmax(model)).toMatchObject({ op: "Softmax", input: output })
  })
})

describe("a vision transformer of PyTorch's newer exporter", () => {
  const fixture = readFixture("vit-folded")

  test.each([18, 20, 22])("trains as PyTorch trains the same network, at opset %i", async (opset) => {
    await expectParity(fixture, dynamoVit(fixture, opset))
  })
})
