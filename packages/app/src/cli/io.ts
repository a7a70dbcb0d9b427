/** What a command may touch of the process around it, passed in so that tests can capture it. */
export interface CommandIo {
  /** Results; nothing else may be written here. */
  readonly stdout: (text: string) => void
  /** Progress, warnings and errors. */
  readonly stderr: (text: string) => void
  /** True when progress may redraw itself, i.e. stderr is a terminal. */
  readonly isTerminal: boolean
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal
}
