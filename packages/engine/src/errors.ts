/** What every typed error says: where it happened, what was expected, what came and what to do about it. */
export interface ErrorDetails {
  /** File, key, node or argument the error is about. */
  readonly where: string
  readonly expected: string
  readonly got: string
  /** The next thing a person should do, as a full sentence. */
  readonly fix?: string
  readonly cause?: unknown
}

/**
 * An error whose cause lies in what was given (a file, a setting, a graph, a full disk), not in learnloss itself.
 * The command exits with 2 for these and with 1 for everything else.
 */
export class LearnlossError extends Error {
  /** Stable, upper-snake-case name of the kind of error, for programs. */
  readonly code: string
  readonly details: ErrorDetails

  constructor(code: string, details: ErrorDetails) {
    const { where, expected, got, fix, cause } = details
    super(`${where}: expected ${expected}, got ${got}.${fix === undefined ? "" : ` ${fix}`}`, { cause })
    this.name = "LearnlossError"
    this.code = code
    this.details = details
  }
}

/** Thrown where only a defect of learnloss itself can lead: never caused by input. */
export class InternalError extends Error {
  constructor(message: string) {
    super(`internal: ${message}`)
    this.name = "InternalError"
  }
}
