/** What code on a thread of its own needs. Unlike the package's main door it loads no runtime, so threads start fast. */
export { type ErrorDetails, InternalError, LearnlossError } from "../errors.ts"
export { createRng, type Rng } from "../random/rng.ts"
export { type Answers, answerCalls } from "./answer-calls.ts"
export { type Calls, CallThread } from "./call-thread.ts"
