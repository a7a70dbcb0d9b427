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
 * @param {Record<string, string>} environment what its process sees besides this one's
 */
export async function startPeer(threads, environment = {}) {
  for (const python of pythons) {
    const peer = connect(python, environment)
    try {
      const { torch } = await peer.request({ command: "hello", threads })
      return { ...peer, torch }
    } catch {
      await peer.stop()
    }
  }
  return null
}

/** Work that is so short that both ways of waiting are tried. */
const triedKinds = ["step", "score", "gemm"]

/**
 * PyTorch in its faster way of waiting, found anew for every step or scoring that is prepared: OpenMP's threads spin between
 * two pieces of work, which is quick for convolutions, but takes the processor from OpenBLAS' own threads, which multiply
 * matrices in Debian's build.
 *
 * @param {number} threads
 */
export async function startFastestPeer(threads) {
  const spinning = await startPeer(threads)
  if (spinning === null) return null
  const asleep = await startPeer(threads, { OMP_WAIT_POLICY: "passive" })
  let chosen = spinning
  const secondsOf = async (peer) => {
    await peer.request({ command: "run", times: 1 })
    return (await peer.request({ command: "run", times: 3 })).seconds
  }
  return {
    torch: spinning.torch,
    async request(command) {
      if (command.command !== "prepare") return chosen.request(command)
      chosen = spinning
      const prepared = await spinning.request(command)
      if (asleep === null || !triedKinds.includes(command.kind)) return prepared
      const preparedAsleep = await asleep.request(command)
      if ((await secondsOf(asleep)) >= (await secondsOf(spinning))) return prepared
      chosen = asleep
      return { ...preparedAsleep, way: `${preparedAsleep.way ?? ""}, OMP_WAIT_POLICY=passive` }
    },
    async stop() {
      await Promise.all([spinning.stop(), asleep?.stop()])
    },
  }
}

/** @param {string} python @param {Record<string, string>} environment */
function connect(python, environment) {
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...environment } })
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
