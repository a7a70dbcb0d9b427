import { defineConfig } from "vitest/config"

const slow = process.env.LEARNLOSS_SLOW_TESTS === "1"

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: slow ? ["packages/*/src/**/*.slow.test.ts"] : ["packages/*/src/**/*.test.ts"],
    exclude: slow ? ["**/node_modules/**", "**/dist/**"] : ["**/node_modules/**", "**/dist/**", "**/*.slow.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: slow ? 1_200_000 : 60_000,
  },
})
