export type { ClassificationDataset, Dataset, ImageShape, SampleSet } from "./data/dataset.ts"
export type { CycleResult, LoopEvent, PickedImage, Place, TrialRecorder } from "./events.ts"
export { resolveEngine, runTrial, type TrialOptions } from "./loop.ts"
