import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import type { Reporter, TestModule } from "vitest/node"

const isSlow = process.env.LEARNLOSS_SLOW_TESTS === "1"
const slowTests = "packages/*/src/**/*.slow.test.ts"

/** Ends a run with one plain line that a person or a script reads at a glance. */
const countReporter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      const before = counts.failed + counts.passed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === "passed" || state === "failed" || state === "skipped") counts[state]++
      }
      // A file that fails to load has no tests that could fail.
      if (!module.ok() && counts.failed + counts.passed === before) counts.failed++
    }
    const skipped = counts.skipped === 0 ? "" : `${counts.skipped} skipped: they need files that are not here\n`
    process.on("exit", () => process.stdout.write(`${skipped}${counts.passed} passed, ${counts.failed} failed\n`))
  },
}

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: isSlow ? [slowTests] : ["packages/*/src/**/*.test.ts", "bench/*.test.mjs"],
    exclude: ["**/node_modules/**", "**/dist/**", ...(isSlow ? [] : [slowTests])],
    reporters: ["default", countReporter],
    // What tests measure and cache stays out of a person's caches.
    env: { LEARNLOSS_CACHE: fileURLToPath(new URL("node_modules/.cache/learnloss", import.meta.url)) },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: isSlow ? 1_200_000 : 60_000,
  },
})
