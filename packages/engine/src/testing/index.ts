export { relativeDifference } from "../graph/compare.ts"
export { checkGradients, type GradientCase, type GradientCheck } from "./finite-differences.ts"
