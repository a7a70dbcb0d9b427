/** @file What is known of plans when our side starts. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { env } from "node:process"

/**
 * Does work in processes that find an empty cache of plans, or the one that the same work left before.
 *
 * @template Result
 * @param {boolean} isPlanKnown
 * @param {(environment: NodeJS.ProcessEnv) => Promise<Result>} work
 * @param {number} repetitions
 * @returns {Promise<Result[]>}
 */
export async function withPlanCache(isPlanKnown, work, repetitions) {
  const root = await mkdtemp(join(tmpdir(), "learnloss-plans-"))
  const environmentOf = (name) => ({ ...env, LEARNLOSS_CACHE: join(root, name) })
  try {
    if (isPlanKnown) await work(environmentOf("known"))
    const results = []
    for (let repetition = 0; repetition < repetitions; repetition++) {
      results.push(await work(environmentOf(isPlanKnown ? "known" : `empty-${repetition}`)))
    }
    return results
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/**
 * Lets this process measure plans anew, once for all cases, unless `LEARNLOSS_CACHE` says where to keep them: a plan that
 * was measured beside other work would spoil the figures.
 *
 * @returns removes them
 */
export async function usePlansOfThisRun() {
  if (env.LEARNLOSS_CACHE) return async () => {}
  const folder = await mkdtemp(join(tmpdir(), "learnloss-plans-"))
  env.LEARNLOSS_CACHE = folder
  return async () => {
    delete env.LEARNLOSS_CACHE
    await rm(folder, { recursive: true, force: true })
  }
}
