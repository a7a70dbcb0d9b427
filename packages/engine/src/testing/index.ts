export { relativeDifference } from "./all-close.ts"
export { checkGradients, type GradientCase, type GradientCheck } from "./finite-differences.ts"
