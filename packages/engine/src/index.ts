export { type ErrorDetails, InternalError, LearnlossError } from "./errors.ts"
export { atomicWrite, type FileOperations, nodeFileOperations } from "./files/atomic-write.ts"
export { createRng, type Rng } from "./random/rng.ts"
