import { z } from "zod"
import {
  dataFormats,
  defectPolicies,
  deviceNames,
  modelNames,
  modelTasks,
  optimizerNames,
  scoringPrecisions,
  strategyNames,
  taskNames,
} from "./names.ts"
import { detectionSchema, lossModuleSchema, modelSchema, poseSchema } from "./network-config.ts"
import { count, moment } from "./numbers.ts"

export const poolSchema = z
  .strictObject({
    imbalance: z
      .number()
      .min(1)
      .default(1)
      .describe("largest class over smallest, exponential profile; 1 keeps the data as they are"),
    size: count.nullable().default(null).describe("images kept in the pool; null keeps all"),
    testSize: count.nullable().default(null).describe("test images used; null uses all"),
  })
  .describe("how the training images are thinned out before anything is labelled")

export const augmentSchema = z
  .strictObject({
    crop: z
      .number()
      .int()
      .nonnegative()
      .default(4)
      .describe(
        "zero padding in pixels before a random crop of the original size; 0 turns it off; images of one class",
      ),
    flip: z.boolean().default(true).describe("mirror left to right with probability one half"),
    photometric: z
      .boolean()
      .default(true)
      .describe("change brightness, contrast, saturation, hue and the order of channels; images with boxes"),
    expand: z
      .boolean()
      .default(true)
      .describe("lay the image into up to four times its size, half of the time; images with boxes"),
    iouCrop: z
      .boolean()
      .default(true)
      .describe("cut out a part that overlaps an object enough, in the modes of SSD; images with boxes"),
    scale: z
      .number()
      .min(0)
      .lt(1)
      .default(0.25)
      .describe("by how much people are shown larger or smaller: drawn around 1 with this deviation, at most this far"),
    rotation: z
      .number()
      .min(0)
      .max(90)
      .default(30)
      .describe("by how many degrees people are turned: drawn with this deviation, at most twice as far"),
    rotationShare: z.number().min(0).max(1).default(0.6).describe("how often people are turned at all"),
    colour: z
      .number()
      .min(0)
      .lt(1)
      .default(0.2)
      .describe("by how much each colour of people's pictures is multiplied: 0.2 draws from 0.8 to 1.2"),
  })
  .describe("random changes of training images; never applied when scoring or evaluating")

export const scheduleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  z.strictObject({
    kind: z.literal("step"),
    milestones: z.array(moment).default(["80%"]).describe("where the learning rate is multiplied by gamma"),
    gamma: z.number().positive().default(0.1),
  }),
  z.strictObject({ kind: z.literal("cosine").describe("from the learning rate down to zero along half a cosine") }),
])

export const trainingSchema = z
  .strictObject({
    epochs: count.optional().describe("passes over the labelled images a cycle (give this or steps)"),
    steps: count.optional().describe("batches a cycle (give this or epochs)"),
    batch: z
      .number()
      .int()
      .min(2)
      .multipleOf(2)
      .default(128)
      .describe("images a step; even, since the ranking objective pairs halves"),
    learningRate: z.number().positive().default(0.1),
    optimizer: z.enum(optimizerNames).default("sgd"),
    momentum: z.number().min(0).lt(1).default(0.9).describe("of sgd"),
    smoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0.99)
      .describe("of rmsprop: how slowly its mean of squared gradients forgets"),
    weightDecay: z.number().nonnegative().default(5e-4).describe("on all parameters, the module's too"),
    schedule: scheduleSchema.prefault({ kind: "step" }),
    startFrom: z
      .enum(["last-cycle", "fresh"])
      .default("last-cycle")
      .describe("weights a cycle starts from: those of the last cycle (paper) or new ones"),
    checkpointSeconds: z
      .number()
      .nonnegative()
      .default(30)
      .describe("least time between two checkpoints inside a cycle"),
  })
  .refine((training) => (training.epochs === undefined) !== (training.steps === undefined), {
    message: "give exactly one of epochs and steps",
  })

export const budgetSchema = z
  .strictObject({
    initial: count.describe("images labelled before the first cycle, drawn at random"),
    perCycle: count.describe("images labelled after each cycle but the last (K in the paper)"),
    cycles: count.describe("trainings"),
    candidates: count
      .nullable()
      .default(null)
      .describe("random subset of the pool that is scored each cycle (M in the paper); null scores all"),
  })
  .describe("how many images are labelled when")

export const engineSchema = z
  .strictObject({
    device: z.enum(deviceNames).default("cpu").describe("what networks run on; what it lacks runs on the processor"),
    threads: count.nullable().default(null).describe("threads of one training step; null shares out every core"),
    jobs: z
      .union([z.literal("measured"), count])
      .default("measured")
      .describe(
        "strategies and trials that train side by side, each with its own threads and memory; measured: as many as a few timed steps find fastest when threads is null, one with fixed lowerings",
      ),
    lowerings: z
      .union([z.enum(["measured", "fixed"]), z.record(z.string(), z.string())])
      .default("measured")
      .describe(
        "how convolution products are computed: measured once at the start, fixed choices without measuring, or the plan of another run",
      ),
    evaluationBatch: z
      .union([z.literal("measured"), count])
      .default("measured")
      .describe("images that are evaluated and scored at once; measured at the start, 128 with fixed lowerings"),
    scoringPrecision: z
      .enum(scoringPrecisions)
      .default("float32")
      .describe(
        "what candidates are scored in: int8 computes convolutions and large products on eight bits, is quicker and rounds; metrics are always float32",
      ),
  })
  .describe("how ONNX Runtime is used")

/** Everything that a run depends on; the defaults are the paper's CIFAR-10 settings where it has one. */
export const runConfigSchema = z
  .strictObject({
    name: z.string().min(1).default("run").describe("name of the run, used for its folder"),
    description: z.string().default(""),
    data: z
      .string()
      .min(1)
      .describe(`NAME or FORMAT:PATH; formats: ${dataFormats.join(", ")}`),
    fallbackData: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe("data to use when `data` are not on this machine and cannot be fetched; null stops with an error"),
    defects: z
      .enum(defectPolicies)
      .default("skip")
      .describe("what happens to broken boxes and images: left out and told, or the run stops"),
    imageSize: z
      .number()
      .int()
      .min(8)
      .max(1024)
      .default(32)
      .describe("side in pixels that images of files are resized to"),
    pool: poolSchema.prefault({}),
    augment: augmentSchema.prefault({}),
    task: z.enum(taskNames).default("classification").describe("what the network predicts"),
    model: modelSchema,
    freeze: z
      .union([z.string().min(1), z.array(z.string().min(1))])
      .default([])
      .describe(
        "what of an ONNX network stays as it is: globs of parameter names, or the name of a value up to which all is kept",
      ),
    detection: detectionSchema.prefault({}),
    pose: poseSchema.prefault({}),
    lossModule: lossModuleSchema.prefault({}),
    training: trainingSchema,
    budget: budgetSchema,
    strategies: z.array(z.enum(strategyNames)).min(1).describe("query strategies to compare"),
    trials: count.default(1).describe("repetitions with other seeds; all strategies of a trial share its initial set"),
    seed: z.number().int().nonnegative().default(0),
    engine: engineSchema.prefault({}),
  })
  .superRefine(({ task, model: { name } }, { addIssue }) => {
    // A network from a file predicts classes.
    if ((name === undefined ? "classification" : modelTasks[name]) === task) return
    const fitting = modelNames.filter((other) => modelTasks[other] === task).join(" or ")
    const path = ["model", name === undefined ? "onnx" : "name"]
    addIssue({ code: "custom", path, message: `a network for task ${task}: ${fitting}` })
  })

/** A run's settings with every default filled in. */
export type RunConfig = z.output<typeof runConfigSchema>
/** A run's settings as a person writes them. */
export type RunConfigInput = z.input<typeof runConfigSchema>
export type Schedule = z.output<typeof scheduleSchema>
