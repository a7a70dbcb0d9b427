/**
 * @file Seconds of building, planning and compiling a training graph, each time in a new process. As a program it is
 * that process: `node build.mjs OURS_MODULE CASE_AS_JSON` prints the seconds.
 */
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { argv, env, execPath } from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const thisFile = fileURLToPath(import.meta.url)

/** @returns {Promise<number[]>} seconds with an empty cache of plans, or with one that knows them already */
export async function buildSeconds(oursModule, work, threads, repetitions) {
  const cache = await mkdtemp(join(tmpdir(), "learnloss-build-"))
  const build = async (folder) => {
    const { stdout } = await promisify(execFile)(
      execPath,
      [thisFile, oursModule, JSON.stringify({ ...work, threads })],
      { env: { ...env, LEARNLOSS_CACHE: join(cache, folder) } },
    )
    return Number(stdout)
  }
  try {
    const seconds = []
    if (work.isPlanKnown) await build("known")
    for (let repetition = 0; repetition < repetitions; repetition++) {
      seconds.push(await build(work.isPlanKnown ? "known" : `empty-${repetition}`))
    }
    return seconds
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

if (argv[1] === thisFile) {
  const [oursModule, work] = argv.slice(2)
  const { buildStep } = await import(oursModule)
  const start = performance.now()
  const { step } = await buildStep(JSON.parse(work))
  console.log((performance.now() - start) / 1000)
  await step.release()
}
