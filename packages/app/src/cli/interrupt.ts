import { exitCodes } from "./failure.ts"

/** The part of `process` that Ctrl-C needs. */
export interface SignalSource {
  on(name: "SIGINT" | "SIGTERM", listener: () => void): unknown
  off(name: "SIGINT" | "SIGTERM", listener: () => void): unknown
  exit(code: number): unknown
}

/** Ctrl-C as an AbortSignal: the first one asks to stop in good order, the second ends the process at once. */
export function listenForInterrupt(
  source: SignalSource,
  say: (text: string) => void,
): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  const listener = (): void => {
    if (controller.signal.aborted) {
      source.exit(exitCodes.interrupted)
      return
    }
    say("\nStopping; Ctrl-C again ends at once.\n")
    controller.abort()
  }
  source.on("SIGINT", listener)
  source.on("SIGTERM", listener)
  return {
    signal: controller.signal,
    stop() {
      source.off("SIGINT", listener)
      source.off("SIGTERM", listener)
    },
  }
}
