import { existsSync } from "node:fs"
import { nearest } from "@learnloss/contract"
import { LearnlossError } from "@learnloss/engine"
import type { AnnotationFormat } from "./annotated-set.ts"
import { type BoxOrigin, boxOrigins } from "./set-reader.ts"

/** What stands after `voc:`, `coco:`, `yolo:` or `mpii:`: a path and, after a question mark, options. */
export interface SetSpec {
  readonly path: string
  /** Splits to train and test on; several are joined with `+`. */
  readonly train?: readonly string[]
  readonly test?: readonly string[]
  /** Classes in the order of their indices; others are left out. */
  readonly classes?: readonly string[]
  readonly origin?: BoxOrigin
}

const optionNames = ["train", "test", "classes", "origin"] as const

/**
 * Takes `DIR?train=trainval&test=test&origin=one&classes=cat,dog` apart. A path that exists as it stands has no options.
 *
 * @throws LearnlossError `MISSING_PATH`, `UNKNOWN_OPTION` or `BAD_OPTION`
 */
export function parseSetSpec(format: AnnotationFormat, text: string | undefined): SetSpec {
  const where = `data "${format}${text === undefined ? "" : `:${text}`}"`
  if (text === undefined || text === "" || text.startsWith("?")) {
    throw new LearnlossError("MISSING_PATH", {
      where,
      expected: pathForms[format],
      got: "no path",
      fix: "Put the folder after the colon.",
    })
  }
  const mark = existsSync(text) ? -1 : text.lastIndexOf("?")
  if (mark < 0) return { path: text }
  const options: Partial<Record<(typeof optionNames)[number], string>> = {}
  for (const part of text.slice(mark + 1).split("&")) {
    const [key = "", value = ""] = part.split(/=(.*)/s)
    const name = optionNames.find((known) => known === key)
    if (name === undefined) throw unknownOption(where, key)
    if (value === "") throw badOption(where, `a value, as in ${name}=${examples[name]}`, `"${part}"`)
    options[name] = value
  }
  const origin = boxOrigins.find((known) => known === options.origin)
  if (options.origin !== undefined && (origin === undefined || format !== "voc")) {
    const expected = format === "voc" ? `origin=${boxOrigins.join(" or origin=")}` : "origin for voc only"
    throw badOption(where, expected, `"${options.origin}"`)
  }
  return {
    path: text.slice(0, mark),
    ...(options.train === undefined ? {} : { train: options.train.split("+") }),
    ...(options.test === undefined ? {} : { test: options.test.split("+") }),
    ...(options.classes === undefined ? {} : { classes: options.classes.split(",") }),
    ...(origin === undefined ? {} : { origin }),
  }
}

const pathForms = {
  voc: "voc:DIR",
  coco: "coco:DIR or coco:FILE.json",
  yolo: "yolo:DIR",
  mpii: "mpii:DIR, mpii:FILE.mat or mpii:FILE.json",
} as const satisfies Record<AnnotationFormat, string>

const examples = { train: "trainval", test: "test", classes: "cat,dog", origin: "one" } as const

function unknownOption(where: string, key: string): LearnlossError {
  const meant = nearest(key, optionNames)
  return new LearnlossError("UNKNOWN_OPTION", {
    where,
    expected: `options ${optionNames.join(", ")} after the question mark`,
    got: `"${key}"`,
    fix: meant === undefined ? "Write for example ?train=trainval&test=test." : `Did you mean ${meant}?`,
  })
}

function badOption(where: string, expected: string, got: string): LearnlossError {
  return new LearnlossError("BAD_OPTION", { where, expected, got, fix: "Correct it or leave it out." })
}
