import { LearnlossError } from "../errors.ts"

/** An error as plain data: it crosses threads as such and is thrown again on the other side. */
export interface Failure {
  readonly message: string
  readonly stack: string | undefined
  /** Code and details of a `LearnlossError`. */
  readonly typed:
    | { readonly code: string; readonly details: { where: string; expected: string; got: string; fix?: string } }
    | undefined
}

/** What is told of an error to another thread; causes stay behind, since not all can be sent. */
export function describeFailure(error: unknown): Failure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (!(error instanceof LearnlossError)) return { message, stack, typed: undefined }
  const { cause: _, ...details } = error.details
  return { message, stack, typed: { code: error.code, details } }
}

/** The error that another thread described: of the same code and details where it was a typed one. */
export function errorFrom({ message, stack, typed }: Failure): Error {
  const error = typed === undefined ? new Error(message) : new LearnlossError(typed.code, typed.details)
  if (typed === undefined && stack !== undefined) error.stack = stack
  return error
}
