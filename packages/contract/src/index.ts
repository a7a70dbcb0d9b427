export * from "./config.ts"
export * from "./names.ts"
export * from "./records.ts"
