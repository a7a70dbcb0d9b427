import type { FoldRule } from "../rule.ts"

export const foldRules: Readonly<Record<string, FoldRule>> = {}
