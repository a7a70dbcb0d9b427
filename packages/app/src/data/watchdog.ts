/** Aborts when what it was told to expect does not come in time. */
export interface Watchdog {
  readonly signal: AbortSignal
  /** The time that was last waited for, in milliseconds. */
  readonly waitedMs: number
  /** Starts the wait anew. */
  expect(withinMs: number): void
  stop(): void
}

/** Makes a watchdog that sleeps until it is told to expect something. */
export function createWatchdog(): Watchdog {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let waitedMs = 0
  return {
    signal: controller.signal,
    get waitedMs() {
      return waitedMs
    },
    expect(withinMs) {
      clearTimeout(timer)
      waitedMs = withinMs
      timer = setTimeout(() => controller.abort(), withinMs)
    },
    stop() {
      clearTimeout(timer)
    },
  }
}
