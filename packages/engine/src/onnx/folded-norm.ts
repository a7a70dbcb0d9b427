import { dataFlow } from "./data-flow.ts"
import type { OnnxModel } from "./model.ts"

const normOps = new Set([
  ...["BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization", "LpNormalization"],
  ...[
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
    "GroupNorm",
    "SkipGroupNorm",
    "MeanVarianceNormalization",
  ],
])

/** Names that PyTorch makes up for tensors it computed while exporting, such as `onnx::Conv_193`. */
const madeUpName = /^(onnx::)?(Conv|ConvTranspose)_\d+$|^\d+$/

/**
 * Whether an exporter put batch normalisation into the convolutions before it: `"yes"` where weights of convolutions with
 * biases lost their names, `"maybe"` where all convolutions have biases and nothing normalises.
 */
export function foldedNorm(model: OnnxModel): "yes" | "maybe" | "no" {
  const convolutions = model.nodes.filter(({ op }) => op === "Conv" || op === "ConvTranspose")
  // Some norms stay where no convolution stands before them, so a norm in the file proves nothing.
  if (convolutions.some(({ inputs }) => isRenamed(inputs))) return "yes"
  const isBiased = convolutions.every(({ inputs }) => (inputs[2] ?? "") !== "")
  return isBiased && convolutions.length > 1 && !hasNorm(model) ? "maybe" : "no"
}

/** Normalisation by an op of its own, or as a division by the root of something computed. */
function hasNorm(model: OnnxModel): boolean {
  if (model.nodes.some(({ op }) => normOps.has(op))) return true
  const { makers, fed } = dataFlow(model)
  return model.nodes.some(({ op, inputs }) => {
    const divisor =
      op === "Div" ? makers.get(inputs[1] ?? "") : op === "Reciprocal" ? makers.get(inputs[0] ?? "") : undefined
    return divisor?.op === "Sqrt" && fed.has(divisor.outputs[0] ?? "")
  })
}

function isRenamed([, weight = "", bias = ""]: readonly string[]): boolean {
  return madeUpName.test(weight) && madeUpName.test(bias)
}

/** How to export a PyTorch network with its batch normalisation. */
export const foldedNormRecipe =
  "The exporter put batch normalisation into the convolutions, so training all of it is delicate. Better export the " +
  "network for training: model.train(); torch.onnx.export(model, example, FILE, " +
  "training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, opset_version=17, " +
  'input_names=["input"], output_names=["output"], ' +
  'dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}). ' +
  "Otherwise freeze the backbone (--freeze) or train with a low learning rate."
