export { relativeDifference } from "../graph/compare.ts"
export { checkGradients, type GradientCase, type GradientCheck } from "./finite-differences.ts"
export {
  type WrittenAttribute,
  type WrittenGraph,
  type WrittenModel,
  type WrittenNode,
  type WrittenTensor,
  type WrittenValue,
  writeOnnxModel,
} from "./onnx-writer.ts"
