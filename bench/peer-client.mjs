import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("peer.py", import.meta.url))
const pythons = process.env.LEARNLOSS_PEER_PYTHON
  ? [process.env.LEARNLOSS_PEER_PYTHON]
  : ["python3", "/usr/bin/python3", "python"]

/**
 * Starts PyTorch in a process of its own, which idles between requests; null where no Python with PyTorch is found.
 *
 * @param {number} threads
 */
export async function startPeer(threads) {
  for (const python of pythons) {
    const peer = connect(python)
    try {
      const { torch } = await peer.request({ command: "hello", threads })
      return { ...peer, torch }
    } catch {
      await peer.stop()
    }
  }
  return null
}

/** @param {string} python */
function connect(python) {
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "pipe"] })
  let complaints = ""
  let hasEnded = false
  child.stderr.on("data", (text) => {
    complaints = (complaints + text).slice(-2000)
  })
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message))
    child.on("close", (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`))
  }).then((reason) => {
    hasEnded = true
    return reason
  })
  child.stdin.on("error", () => {}) // its end is reported by `ended`
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  return {
    /**
     * Sends one command and waits for its answer.
     *
     * @param {Record<string, unknown>} command
     */
    async request(command) {
      if (!hasEnded) child.stdin.write(`${JSON.stringify(command)}\n`)
      const { value, done } = await answers.next()
      if (done) throw new Error(`peer: expected an answer to ${command.command}, it ${await ended}\n${complaints}`)
      const answer = JSON.parse(value)
      if (answer.error !== undefined) throw new Error(`peer: ${command.command}: ${answer.error}`)
      return answer
    },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
