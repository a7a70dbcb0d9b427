import { describe, expect, test } from "vitest"
import { reduceSum } from "../../graph/build.ts"
import { Graph, type Value } from "../../graph/graph.ts"
import { floatTensor, type Shape } from "../../graph/tensor.ts"
import { fixedPlan } from "../../lowering/plan.ts"
import { createNetworkBuilder } from "../../nn/network.ts"
import { sgd } from "../../optim/optimizer.ts"
import { constantSchedule } from "../../optim/schedule.ts"
import { compileTrainStep } from "../../runtime/train-step.ts"
import { writeOnnxModel } from "../../testing/onnx-writer.ts"
import { decodeOnnxModel } from "../read-model.ts"
import { Drawing } from "./drawing.test-suite.ts"
import { importNetwork } from "./network.ts"

describe("parameters of any name", () => {
  const names = ["images", "labels", "progress", "all parameters", "all buffers", "momentum", "noise 0", "loss"]
  const more = ["learning rate", "next all parameters", "Conv:0", "output", "parameter images", "observed one"]

  test.each([...names, ...more, "lossModule.out.weight", "a b/c:0"])("%j trains", async (name) => {
    const graph = new Graph()
    const d = new Drawing()
    const dropped = d.node("Dropout", [d.node("Conv", ["x", d.store(name, floatTensor([4, 3, 1, 1]))]), d.scalar(0.5)])
    const parts = ["scale", "shift", "mean", "variance"].map((part) => d.store(part, floatTensor([4])))
    const output = d.node("BatchNormalization", [dropped, ...parts])
    const inputs = [{ name: "x", shape: ["n", 3, 8, 8] }]
    const model = decodeOnnxModel(writeOnnxModel(d.written({ opset: 18, inputs, outputs: [output] })), "net.onnx")
    const network = createNetworkBuilder(graph, "inputs")
    const given = new Map([["x", graph.input("images", "float32", [2, 3, 8, 8])]])
    const values = importNetwork(network, model, { wanted: [output], given, batch: 2 })
    const labels = graph.input("labels", "float32", [])
    const progress = graph.input("progress", "float32", [])
    const loss = reduceSum(graph.add("Mul", [values.get(output) as Value, labels], {})[0] as Value)
    const settings = { optimizer: sgd({ momentum: 0.9, weightDecay: 0 }), learningRate: 1, schedule: constantSchedule }
    const spec = { graph, network, loss, progress, observed: { "observed one": loss }, ...settings }
    const step = await compileTrainStep(spec, fixedPlan, { threads: 1 })
    const ones = new Map(network.specs.map(({ name: each, shape }) => [each, filled(shape)] as const))
    await step.load({ parameters: ones, optimizer: new Map() })
    const [noise] = network.noiseInputs.map(({ name: each, shape }) => [each, filled(shape)] as const)
    await step.run({ images: filled([2, 3, 8, 8]), labels: filled([]), ...Object.fromEntries([noise!]) }, 0)
    const { parameters } = await step.state()
    await step.release()
    expect([...parameters.keys()].toSorted()).toEqual([name, "mean", "scale", "shift", "variance"].toSorted())
    expect(parameters.get("shift")!.data[0]).toBe(1 - 2 * 8 * 8)
  })

  test("that the loss module has too are refused", () => {
    const network = createNetworkBuilder(new Graph(), "inputs")
    network.parameter("lossModule.out.weight", [1], () => floatTensor([1]))
    const again = () => network.scope("lossModule").parameter("out.weight", [1], () => floatTensor([1]))
    expect(again).toThrow(
      expect.objectContaining({
        code: "GRAPH_NAME_TAKEN",
        details: expect.objectContaining({ where: 'parameter "lossModule.out.weight"' }),
      }),
    )
  })
})

function filled(shape: Shape) {
  const tensor = floatTensor(shape)
  ;(tensor.data as Float32Array).fill(1)
  return tensor
}
