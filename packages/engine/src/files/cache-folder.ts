import { homedir } from "node:os"
import { join } from "node:path"

/**
 * Folder of what can be computed again at any time: `$LEARNLOSS_CACHE`, else `learnloss` in the caches of the person who
 * runs this (`$XDG_CACHE_HOME`, else `~/.cache`).
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { LEARNLOSS_CACHE, XDG_CACHE_HOME, HOME } = environment
  return LEARNLOSS_CACHE || join(XDG_CACHE_HOME || join(HOME || homedir(), ".cache"), "learnloss")
}
