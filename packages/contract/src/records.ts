import { z } from "zod"
import { mainMeasureIn } from "./main-measure.ts"
import { moduleTrainings, strategyNames } from "./names.ts"

const fraction = z.number().min(0).max(1)

const count = z.number().int().nonnegative()

/** How scoring in int8 went, held against float32 on a random part of the candidates. */
export const int8ScoringSchema = z.strictObject({
  quantizedProducts: count.describe("convolutions and large products that were computed on eight bits"),
  floatProducts: count.describe("convolutions and products that stayed in float32"),
  samples: count.describe("candidates that were scored in float32 too"),
  rankCorrelation: z.number().min(-1).max(1).describe("Spearman's, between their scores in int8 and in float32"),
  topCount: count.describe("how many of them would be selected"),
  topShare: fraction.describe("share of those highest in float32 that are among the highest in int8"),
})
export type Int8Scoring = z.output<typeof int8ScoringSchema>

/** Below this rank correlation int8 is said to order candidates too differently. */
export const leastRankCorrelation = 0.95

/** One line of `cycles.jsonl`: what one training of one strategy in one trial led to. Cycles and trials count from 1. */
export const cycleRecordSchema = z.strictObject({
  strategy: z.enum(strategyNames),
  trial: z.number().int().positive(),
  cycle: z.number().int().positive(),
  labels: z.number().int().positive().describe("labelled images the network was trained on"),
  metrics: z
    .object({
      recallPerClass: z.array(fraction.nullable()).optional(),
      averagePrecisionPerClass: z.array(fraction.nullable()).optional(),
      pckPerJoint: z.array(fraction.nullable()).optional(),
    })
    .catchall(z.unknown())
    .refine((metrics) => mainMeasureIn(metrics) !== undefined, { message: "the main measure of a task" })
    .describe("the task's measures on the test set"),
  lossModule: z.enum(moduleTrainings).describe("how the loss prediction module was trained"),
  rankingAccuracy: fraction
    .nullable()
    .describe("share of test pairs of unequal loss that the module orders rightly; null without a module"),
  confidenceRankingAccuracy: fraction.nullable().describe("the same for plain confidence of the network's output"),
  lift: z
    .number()
    .nullable()
    .describe("mean true loss of the 5% of test images with the highest predicted loss over the mean of all"),
  confidenceLift: z.number().nullable(),
  trainLoss: z.number().describe("mean target loss over the last tenth of the training steps"),
  testLoss: z.number().describe("mean target loss on the test set"),
  labelsPerClass: z.array(z.number().int()).optional(),
  labeledObjects: z
    .number()
    .int()
    .optional()
    .describe("objects, such as boxes, that were marked in the labelled images"),
  trainSeconds: z.number(),
  dataWaitSeconds: z.number().describe("part of trainSeconds in which the step loop waited for images"),
  evaluateSeconds: z.number(),
  selectSeconds: z.number().nullable().describe("scoring and selecting; null in the last cycle"),
  scoreWaitSeconds: z
    .number()
    .optional()
    .describe("part of evaluateSeconds and selectSeconds in which the network waited for images"),
  sharedWith: z
    .enum(strategyNames)
    .optional()
    .describe("the strategy that trained and evaluated this first cycle for both, and whose record has the time"),
  int8: int8ScoringSchema.optional().describe("only where candidates were scored in int8"),
  int8MsPerImage: z.number().nullable().optional().describe("to score an image in int8; null for too few images"),
  float32MsPerImage: z.number().nullable().optional().describe("the same in float32"),
  int8ExtraSeconds: z.number().optional().describe("part of selectSeconds for calibration and the comparison"),
})
export type CycleRecord = z.output<typeof cycleRecordSchema>

/** One line of `selections.jsonl`: the images labelled after a cycle; cycle 0 is the initial set. */
export const selectionRecordSchema = z.strictObject({
  strategy: z.enum(strategyNames),
  trial: z.number().int().positive(),
  cycle: z.number().int().nonnegative(),
  ids: z.array(z.string()),
  scores: z.array(z.number()).nullable().describe("higher was labelled sooner; null where images were drawn at random"),
})
export type SelectionRecord = z.output<typeof selectionRecordSchema>

/** Names of the fields of a cycle record that measure time and so differ from one machine and run to the next. */
export const timingFields = [
  "trainSeconds",
  "dataWaitSeconds",
  "evaluateSeconds",
  "selectSeconds",
  "scoreWaitSeconds",
  "int8MsPerImage",
  "float32MsPerImage",
  "int8ExtraSeconds",
] as const

/** What a network found in an image of the test set; boxes are corners in pixels of the image. */
export const foundObjectsSchema = z.strictObject({
  id: z.string(),
  objects: z.array(
    z.strictObject({
      classIndex: count,
      score: fraction,
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      joints: z
        .array(z.tuple([z.number(), z.number(), fraction]))
        .optional()
        .describe("of a person: x, y and score of each joint, in the order of the class names"),
    }),
  ),
})
export type FoundObjects = z.output<typeof foundObjectsSchema>

/** Predicted against target loss on a part of the test set after one cycle, for the report's scatter plot. */
export const predictionsRecordSchema = z.strictObject({
  strategy: z.enum(strategyNames),
  trial: z.number().int().positive(),
  cycle: z.number().int().positive(),
  ids: z.array(z.string()),
  predictedLoss: z.array(z.number()).nullable(),
  targetLoss: z.array(z.number()),
  found: z
    .array(foundObjectsSchema)
    .optional()
    .describe("detectors only: a few images of the test set, the same in every cycle, for the report's pictures"),
})
export type PredictionsRecord = z.output<typeof predictionsRecordSchema>

const positive = z.number().int().positive()

const jointPairs = z.array(z.tuple([count, count]))

/** `network.json`: what a run's networks need to be written to a file. */
export const networkDataSchema = z.strictObject({
  imageShape: z.strictObject({ channels: positive, height: positive, width: positive }),
  classNames: z.array(z.string()).min(1),
  normalization: z.strictObject({ mean: z.array(z.number()), std: z.array(z.number().positive()) }),
  skeleton: z
    .strictObject({ names: z.array(z.string()), bones: jointPairs, pairs: jointPairs })
    .optional()
    .describe("of people: their joints, which the class names name too"),
})
