/**
 * @file Seconds of building, planning and compiling a training graph, each time in a new process. As a program it is
 * that process: `node build.mjs OURS_MODULE CASE_AS_JSON` prints the seconds.
 */
import { execFile } from "node:child_process"
import { argv, execPath } from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { withPlanCache } from "./plan-cache.mjs"

const thisFile = fileURLToPath(import.meta.url)

/** @returns {Promise<number[]>} seconds with an empty cache of plans, or with one that knows them already */
export function buildSeconds(oursModule, work, threads, repetitions) {
  const build = async (environment) => {
    const given = JSON.stringify({ ...work, threads })
    const { stdout } = await promisify(execFile)(execPath, [thisFile, oursModule, given], { env: environment })
    return Number(stdout)
  }
  return withPlanCache(work.isPlanKnown, build, repetitions)
}

if (argv[1] === thisFile) {
  const [oursModule, work] = argv.slice(2)
  const { buildStep } = await import(oursModule)
  const start = performance.now()
  const { step } = await buildStep(JSON.parse(work))
  console.log((performance.now() - start) / 1000)
  await step.release()
}
