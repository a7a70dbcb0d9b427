import { knownPaths, nearest, runConfigSchema } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import type { KeyPath } from "./settings-file.ts"

type Issue = NonNullable<ReturnType<typeof runConfigSchema.safeParse>["error"]>["issues"][number]

/** One thing that is wrong with settings. */
export interface Problem {
  /** Dotted key, with where it was written, e.g. `budget.perCycle (line 12)`. */
  readonly where: string
  readonly expected: string
  readonly got: string
  readonly fix?: string
}

/** Where the value at a path was written: a line of the file or an option of the command line. */
export type FindOrigin = (path: KeyPath) => string | undefined

/** Turns the schema's complaints about settings into what a person can act on. */
export function describeIssues(issues: readonly Issue[], input: unknown, findOrigin: FindOrigin): Problem[] {
  return issues
    .flatMap((issue) => describeIssue(issue, input))
    .map(({ path, ...problem }) => {
      const origin = findOrigin(path)
      const key = dotted(path) || "settings"
      return { where: origin === undefined ? key : `${key} (${origin})`, ...problem }
    })
}

/** One error for all that is wrong with settings; `label` names the file, preset or command that gave them. */
export function configError(
  label: string,
  problems: readonly Problem[],
  code: "CONFIG_INVALID" | "FIT_OPTIONS" = "CONFIG_INVALID",
): LearnlossError {
  const [only] = problems
  if (only !== undefined && problems.length === 1) {
    return new LearnlossError(code, { ...only, where: `${label}: ${only.where}` })
  }
  const lines = problems.map(
    ({ where, expected, got, fix }) =>
      `\n  - ${where}: expected ${expected}, got ${got}.${fix === undefined ? "" : ` ${fix}`}`,
  )
  return new LearnlossError(code, {
    where: label,
    expected: "valid settings",
    got: `${problems.length} problems`,
    fix: lines.join(""),
  })
}

type PlacedProblem = Omit<Problem, "where"> & { readonly path: KeyPath }

function describeIssue(issue: Issue, input: unknown): PlacedProblem[] {
  const { path } = issue
  const value = valueAt(input, path)
  const got = show(value)
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key))
    case "invalid_value":
      return [{ path, ...oneOf(issue.values.map(String), value), got }]
    case "invalid_union":
      if (issue.discriminator !== undefined) {
        const options = "options" in issue ? (issue.options as unknown[]).map(String) : []
        return [{ path, ...oneOf(options, value), got }]
      }
      return [{ path, expected: alternatives(issue.errors), got }]
    case "invalid_type":
      return [{ path, expected: typeWord(issue.expected), got }]
    case "too_small":
      return [{ path, expected: bound(issue.origin, issue.inclusive ? "at least" : "more than", issue.minimum), got }]
    case "too_big":
      return [{ path, expected: bound(issue.origin, issue.inclusive ? "at most" : "less than", issue.maximum), got }]
    case "not_multiple_of":
      return [{ path, expected: issue.divisor === 2 ? "an even number" : `a multiple of ${issue.divisor}`, got }]
    case "custom":
      return [{ path, expected: issue.message, got }]
    default:
      return [{ path, expected: issue.message.replace(/^Invalid \w+: expected /, ""), got }]
  }
}

function unknownKey(path: KeyPath, key: string): PlacedProblem {
  const prefix = path.length === 0 ? "" : `${dotted(path)}.`
  const known = knownPaths(runConfigSchema)
  const siblings = known
    .filter((candidate) => candidate.startsWith(prefix) && !candidate.slice(prefix.length).includes("."))
    .map((candidate) => candidate.slice(prefix.length))
  const elsewhere = known.filter((candidate) => candidate.endsWith(`.${key}`))
  const meant = elsewhere.length > 0 ? elsewhere.join(" or ") : nearest(key, siblings)
  return {
    path: [...path, key],
    expected: `one of the keys ${siblings.join(", ")}`,
    got: `the unknown key "${key}"`,
    ...(meant === undefined ? {} : { fix: `Did you mean ${meant}?` }),
  }
}

function oneOf(names: readonly string[], value: unknown): { expected: string; fix?: string } {
  const meant = typeof value === "string" ? nearest(value, names) : undefined
  return {
    expected: names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`,
    ...(meant === undefined ? {} : { fix: `Did you mean ${meant}?` }),
  }
}

function alternatives(errors: readonly (readonly Issue[])[]): string {
  const words = errors.map(([first]) =>
    first?.code === "invalid_type"
      ? typeWord(first.expected)
      : first?.code === "invalid_value"
        ? first.values.join(" or ")
        : first?.message,
  )
  return words.filter((word) => word !== undefined).join(" or ")
}

function typeWord(type: string): string {
  if (type === "int") return "a whole number"
  if (type === "object" || type === "record") return "a group of keys"
  if (type === "array") return "a list"
  return type === "boolean" ? "true or false" : `a ${type === "string" ? "text" : type}`
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === "array") return `a list of ${comparison} ${limit}`
  return origin === "string" ? `a text of ${comparison} ${limit} characters` : `${comparison} ${limit}`
}

function show(value: unknown): string {
  if (value === undefined) return "nothing"
  const text = typeof value === "number" ? String(value) : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function valueAt(input: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], input)
}

function dotted(path: KeyPath): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "")
}
