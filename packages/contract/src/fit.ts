import { z } from "zod"
import { augmentSchema, engineSchema, scheduleSchema, trainingSchema } from "./config.ts"
import { lossModuleSchema } from "./network-config.ts"

const names = z.array(z.string().min(1))
const perChannel = z.array(z.number()).min(1)

/** What `learnloss fit` trains and how; kept beside its checkpoints. */
export const fitSettingsSchema = z
  .strictObject({
    onnx: z.string().min(1).describe("ONNX file of the network to train"),
    digest: z.string().optional().describe("SHA-256 of the ONNX file, written down when training starts"),
    data: z.string().min(1).describe("NAME or FORMAT:PATH"),
    imageSize: z.number().int().min(8).max(1024).default(32),
    normalization: z
      .strictObject({ mean: perChannel, std: z.array(z.number().positive()).min(1) })
      .nullable()
      .default(null)
      .describe("per channel, of pixels scaled to 0..1; null takes the data set's"),
    taps: names.min(1).nullable().default(null),
    output: z.string().min(1).nullable().default(null),
    newHead: z.boolean().default(false),
    freeze: names.default([]),
    freezeNorm: z.boolean().default(false),
    readsOutputs: z.boolean().default(false).describe("the loss module also reads statistics of the network's output"),
    augment: augmentSchema.prefault({}),
    shuffle: z.boolean().default(true),
    batch: trainingSchema.shape.batch.default(32),
    steps: z.number().int().positive().nullable().default(null),
    epochs: z.number().int().positive().nullable().default(null),
    learningRate: z.number().positive(),
    momentum: trainingSchema.shape.momentum,
    weightDecay: trainingSchema.shape.weightDecay,
    schedule: scheduleSchema.prefault({ kind: "constant" }),
    lossWeight: z
      .number()
      .nonnegative()
      .default(1)
      .describe("factor of the module's loss; with 0 its gradient never reaches the network"),
    margin: lossModuleSchema.shape.margin,
    stopGradientAt: lossModuleSchema.shape.stopGradientAt,
    seed: z.number().int().nonnegative().default(0),
    device: engineSchema.shape.device,
    threads: z.number().int().positive().nullable().default(null),
    lowerings: z.union([z.enum(["measured", "fixed"]), z.record(z.string(), z.string())]).default("measured"),
  })
  .refine(({ steps, epochs }) => (steps === null) !== (epochs === null), {
    message: "give exactly one of steps and epochs",
  })

/** The settings of `learnloss fit` with every default filled in. */
export type FitSettings = z.output<typeof fitSettingsSchema>
export type FitSettingsInput = z.input<typeof fitSettingsSchema>
