export * from "./config.ts"
export * from "./names.ts"
export * from "./near-miss.ts"
export * from "./records.ts"
