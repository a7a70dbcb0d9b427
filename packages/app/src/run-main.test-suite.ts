import { type MainOptions, main } from "./main.ts"

interface Captured {
  readonly loadParts?: MainOptions["loadParts"]
  readonly signal?: AbortSignal
  /** Is told what is said on stderr while the command runs. */
  readonly onSaid?: (text: string) => void
}

/** Runs the command as a script would, with its output captured. */
export async function runMain(
  args: readonly string[],
  { loadParts, signal = new AbortController().signal, onSaid = () => {} }: Captured = {},
) {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const io = {
    stdout: (text: string) => void stdout.push(text),
    stderr(text: string) {
      stderr.push(text)
      onSaid(text)
    },
    isTerminal: false,
    signal,
  }
  const code = await main(args, { io, ...(loadParts && { loadParts }) })
  return { code, stdout: stdout.join(""), stderr: stderr.join("") }
}
