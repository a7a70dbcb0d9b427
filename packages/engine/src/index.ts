export { gradients } from "./autodiff/gradients.ts"
export { type ErrorDetails, InternalError, LearnlossError } from "./errors.ts"
export { atomicWrite, type FileOperations, nodeFileOperations } from "./files/atomic-write.ts"
export { cacheFolder } from "./files/cache-folder.ts"
export { readSafetensors, writeSafetensors } from "./files/safetensors.ts"
export * as op from "./graph/build.ts"
export type { NamedOutputs } from "./graph/codec.ts"
export { Graph, type Value } from "./graph/graph.ts"
export type { ModelTail, TailNode } from "./graph/model-tail.ts"
export { type DataType, floatTensor, intTensor, type Shape, sizeOf, type Tensor } from "./graph/tensor.ts"
export { type Device, devices } from "./lowering/device.ts"
export type { LoweredGraph } from "./lowering/lower.ts"
export { fixedPlan, type LoweringPlan } from "./lowering/plan.ts"
export {
  buildRangeGraph,
  countQuantized,
  type QuantizedGraph,
  quantize,
  type Ranges,
  rangesFrom,
} from "./lowering/quantize.ts"
export {
  heUniform,
  type Initializer,
  initializeParameters,
  uniform,
  uniformByFanIn,
  xavierUniform,
  zeros,
} from "./nn/initializers.ts"
export { batchNorm, type Conv2dOptions, conv2d, doubled, halved, l2Norm, linear, pooled } from "./nn/layers.ts"
export { crossEntropyPerSample } from "./nn/losses.ts"
export {
  createNetworkBuilder,
  type NetworkBuilder,
  type NetworkParts,
  type ParameterSource,
  type ParameterSpec,
  type TensorMap,
} from "./nn/network.ts"
export { type CutOptions, type CutOutput, cutModel } from "./onnx/cut.ts"
export { type FinalSoftmax, findEmbedding, findFinalSoftmax, mainOutput } from "./onnx/endings.ts"
export { countedOps } from "./onnx/flops.ts"
export { foldedNorm, foldedNormRecipe } from "./onnx/folded-norm.ts"
export { type BoundaryValue, type FrozenSplit, frozenParameters, splitFrozen } from "./onnx/import/freeze.ts"
export { type ImportOptions, importNetwork } from "./onnx/import/network.ts"
export { type StoredParameter, storedParameters } from "./onnx/import/parameters.ts"
export { type InspectOptions, inspectOnnxModel, type ModelInspection } from "./onnx/inspect.ts"
export { findLayouts, type Layout, layoutOf } from "./onnx/layouts.ts"
export type {
  OnnxAttributeValue,
  OnnxDataType,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from "./onnx/model.ts"
export { type ProbedShapes, type ProbedValue, type ProbeOptions, probeShapes } from "./onnx/probe.ts"
export { decodeOnnxModel, readOnnxModel } from "./onnx/read-model.ts"
export { listReadableOps, type ReadableOp } from "./onnx/readable-ops.ts"
export { type SuggestedTap, suggestTaps } from "./onnx/taps.ts"
export type { Obstacle, OpRules, OpUse } from "./onnx/trainability.ts"
export { requireTrainable } from "./onnx/trainability.ts"
export { type Optimizer, rmsprop, sgd } from "./optim/optimizer.ts"
export { constantSchedule, cosineSchedule, type Schedule, stepSchedule } from "./optim/schedule.ts"
export { createRng, type Rng } from "./random/rng.ts"
export { type Checkpoint, loadCheckpoint, requireWeightsOf, saveCheckpoint } from "./runtime/checkpoints.ts"
export { onComputeThread } from "./runtime/compute-thread.ts"
export { availableDevices, requireDevice } from "./runtime/devices.ts"
export {
  type CompiledModel,
  compileEvaluation,
  compileModel,
  type Evaluation,
  type ModelFeed,
} from "./runtime/evaluation.ts"
export { type BuiltNetwork, exportModel } from "./runtime/export-model.ts"
export {
  type EvaluationChoice,
  type MeasureEvaluationOptions,
  measureEvaluation,
} from "./runtime/measure-evaluation.ts"
export { type MeasureOptions, requireRunnablePlan } from "./runtime/measure-plan.ts"
export { type Measurement, type Measurements, openMeasurements } from "./runtime/measurements.ts"
export { runtimeVersion, type SessionOptions } from "./runtime/ort.ts"
export { describePlacement, type PlacedNode, type Placement } from "./runtime/placement.ts"
export type { TrainingState } from "./runtime/resident-step.ts"
export {
  compileTrainStep,
  measureTrainingPlan,
  type StepResult,
  type TrainingSpec,
  type TrainStep,
} from "./runtime/train-step.ts"
export { probeWeightLimit } from "./runtime/weight-limit.ts"
