import { z } from "zod"
import { lossDivisors, modelNames, moduleTrainings, poseLossDivisors, rankedPairs } from "./names.ts"
import { count, moment } from "./numbers.ts"

export const modelSchema = z
  .strictObject({
    name: z.enum(modelNames).optional().describe("network to train (give this or onnx)"),
    width: count.default(64).describe("channels of the first stage of a network that is named"),
    stacks: count.default(2).describe("how many times hourglass finds the joints, each time from what it found before"),
    blocks: count.default(1).describe("residual blocks at each place of hourglass"),
    innerTaps: z
      .boolean()
      .default(false)
      .describe("the loss module reads the maps inside the last stack of an hourglass too, not only each stack's last"),
    onnx: z.string().min(1).optional().describe("ONNX file of the network to train, with the weights it starts from"),
    weights: z
      .string()
      .min(1)
      .optional()
      .describe("ONNX file of VGG-16 whose weights ssd300-vgg16 starts from; without it they are drawn"),
    taps: z
      .array(z.string().min(1))
      .min(1)
      .nullable()
      .default(null)
      .describe("values of the ONNX file that the loss module reads; null takes the last of each resolution"),
    output: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("value of the ONNX file to take as logits; null takes its first output, without a final Softmax"),
    newHead: z
      .boolean()
      .default(false)
      .describe("replaces the last fully connected layer of the ONNX file by a new one for the classes of the data"),
    freezeNorm: z.boolean().default(false).describe("keeps the statistics of the ONNX file's batch normalisation"),
    digest: z
      .string()
      .optional()
      .describe("SHA-256 of the ONNX file that onnx or weights names, written down when a run starts"),
  })
  .refine((model) => (model.name === undefined) !== (model.onnx === undefined), {
    message: "exactly one of name and onnx",
  })
  .refine(({ name, weights }) => weights === undefined || name === "ssd300-vgg16", {
    path: ["weights"],
    message: "only ssd300-vgg16 starts from weights of a file",
  })
  .refine(({ name, stacks, blocks }) => name !== "hourglass2" || (stacks === 2 && blocks === 1), {
    path: ["name"],
    message: "hourglass2 has two stacks of one block a place: name hourglass to choose others",
  })

export const lossModuleSchema = z
  .strictObject({
    training: z
      .enum(["by-strategy", ...moduleTrainings])
      .default("by-strategy")
      .describe(
        "by-strategy: as in the paper, only learning-loss strategies train the module; joint or detached trains it with every strategy, as a control",
      ),
    width: count.default(128).describe("outputs of the fully connected layer of each tap"),
    margin: z.number().positive().default(1).describe("margin of the ranking objective"),
    pairs: z
      .enum(rankedPairs)
      .default("halves")
      .describe(
        "which images of a batch are ranked against each other: the first half with the second (paper), or all; ranking only",
      ),
    memory: z
      .number()
      .int()
      .nonnegative()
      .default(0)
      .describe(
        "images of earlier steps that each image of a batch is ranked against too, by their features and losses then; ranking only, empty with new weights",
      ),
    weight: z
      .number()
      .positive()
      .default(1)
      .describe("factor of the module's loss beside the target loss (lambda in the paper)"),
    stopGradientAt: moment.default("60%").describe("from here on the module's gradient no longer reaches the network"),
  })
  .describe("the loss prediction module")

export const detectionSchema = z
  .strictObject({
    lossDivisor: z
      .enum(lossDivisors)
      .default("positives")
      .describe("what an image's loss is divided by: its matched default boxes, or nothing, so that it counts objects"),
    difficult: z.boolean().default(true).describe("train on objects that are marked as difficult, as SSD does"),
  })
  .describe("task detection only")

export const poseSchema = z
  .strictObject({
    lossDivisor: z
      .enum(poseLossDivisors)
      .default("joints")
      .describe("what a person's loss is divided by: the labelled joints, or nothing, so that it counts joints"),
    flipTest: z
      .boolean()
      .default(false)
      .describe("joints are found in each test picture and its mirror image, and averaged; twice the time"),
  })
  .describe("task pose only")
