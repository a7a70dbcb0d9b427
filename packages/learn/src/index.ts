export type {
  AnnotatedImage,
  AnnotatedObject,
  AnnotatedSet,
  AnnotationFormat,
} from "./data/annotations/annotated-set.ts"
export { annotationFormats, writtenFormats } from "./data/annotations/annotated-set.ts"
export { type AnnotationDefect, type DefectCost, type DefectKind, DefectLog } from "./data/annotations/defects.ts"
export { readDetectionDataset } from "./data/annotations/detection-dataset.ts"
export type { Loss } from "./data/annotations/losses.ts"
export { readPoseDataset } from "./data/annotations/pose-dataset.ts"
export { readAnnotatedSet } from "./data/annotations/read-set.ts"
export { parseSetSpec } from "./data/annotations/set-spec.ts"
export {
  type DetectionSummary,
  type PeopleCounts,
  type PoseSummary,
  type SplitCounts,
  summarizeAnnotations,
  summarizePictures,
} from "./data/annotations/summarize-set.ts"
export { type ImageTransfer, imageTransfers, writeAnnotatedSet } from "./data/annotations/write-set.ts"
export { BatchStream } from "./data/batch-stream.ts"
export type { Box, Detection, DetectionTarget, LabeledBox } from "./data/boxes.ts"
export { dataFolder, dataPlaces, locateDataset } from "./data/data-folder.ts"
export {
  type AnyDataset,
  type ClassificationDataset,
  type Dataset,
  type DetectionDataset,
  type ImageShape,
  isPictures,
  type Picture,
  type PictureDataset,
  type PictureSet,
  type PictureSource,
  type PoseDataset,
  requireClassification,
  type SampleSet,
} from "./data/dataset.ts"
export { decodeImage, imageExtensions, imageSize } from "./data/decode-image.ts"
export { fashionMnistFiles } from "./data/fashion-mnist.ts"
export { normalizationPerChannel } from "./data/normalization.ts"
export { type DataSpec, openDataset, parseDataSpec } from "./data/open-dataset.ts"
export {
  cropAround,
  type HeadSize,
  type Joint,
  type PersonCrop,
  type PersonTarget,
  type Pose,
  placeInImage,
  type Skeleton,
} from "./data/people.ts"
export { type DecodedPicture, decodePicture } from "./data/pictures/decode-picture.ts"
export { preparePose } from "./data/pictures/prepare-pose.ts"
export {
  type DrawnSamples,
  type SampleOptions,
  type SamplePicture,
  type ShownLabel,
  samplePictures,
} from "./data/pictures/sample-pictures.ts"
export { scaleTarget } from "./data/pictures/ssd-augmentation.ts"
export type { DataDefect, ReadOptions } from "./data/reader.ts"
export { shapePool } from "./data/shape-pool.ts"
export type { CycleResult, LoopEvent, PickedImage, Place, SharedCycle, TrialRecorder } from "./events.ts"
export { type ExportedData, exportTrained } from "./export.ts"
export { type FitMeasures, type FitStart, fitNetwork, stepsToFit } from "./fit.ts"
export type { Fit, Preprocessing } from "./frozen/decode-input.ts"
export {
  type CacheEntry,
  FeatureCache,
  featureCacheFolder,
  featureCacheRoot,
  type RowHandle,
} from "./frozen/feature-cache.ts"
export { listImageFiles } from "./frozen/image-files.ts"
export { type Job, jobsOf, nextJob } from "./jobs/schedule.ts"
export { computeThreadOf } from "./jobs/time-steps.ts"
export { runTrial, type TrialOptions } from "./loop.ts"
export { models } from "./models/models.ts"
export { type OpenedModel, openModel } from "./models/open-model.ts"
export { type NetworkFile, readNetworkFile } from "./predict/network-file.ts"
export { type ImagePrediction, type PredictOptions, predictImages } from "./predict/predict-images.ts"
export type { Answer, FileSize, FoundPerson } from "./predict/read-outputs.ts"
export type { HeldOutFigures } from "./rank/held-out.ts"
export { rankPool } from "./rank/rank-pool.ts"
export type { RankEvent, RankedImage, Ranking, RankOptions, RankSettings } from "./rank/ranking.ts"
export { type ResolveOptions, resolveRun } from "./resolve-run.ts"
export { strategies } from "./strategies/strategies.ts"
export { classification } from "./tasks/classification.ts"
export { type DetectionMetrics, evaluateDetections } from "./tasks/detection/evaluate-detections.ts"
export { makeTask, requireDataOf } from "./tasks/tasks.ts"
export { buildEvaluation, buildTraining, imagesInput, type Learner } from "./training/learner.ts"
export { cacheNotice } from "./training/open-batches.ts"
export { leaderOf, strategyTraining } from "./training/strategy-training.ts"
export type { StepReport } from "./training/train-cycle.ts"
