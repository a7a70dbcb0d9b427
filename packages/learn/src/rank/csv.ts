import { LearnlossError } from "@learnloss/engine"

/** One record of a CSV file. */
export interface CsvRecord {
  /** Line on which it starts, from 1. */
  readonly line: number
  readonly fields: readonly string[]
}

/**
 * Reads CSV as RFC 4180 has it: fields between commas, quoted where they hold commas, quotes (doubled) or line ends.
 * A byte order mark and empty lines are left out.
 *
 * @throws LearnlossError `BAD_CSV` for a quote that is not closed or stands inside a field
 */
export function* readCsv(text: string, where: string): Generator<CsvRecord> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  let line = 1
  while (at < text.length) {
    const start = line
    const fields: string[] = []
    for (let isOpen = true; isOpen; ) {
      let field: string
      if (text[at] === '"') {
        const end = closingQuote(text, at)
        if (end < 0) throw badCsv(where, start, "a quote that closes the field", "the end of the file")
        field = text.slice(at + 1, end).replaceAll('""', '"')
        line += countLineEnds(field)
        at = end + 1
        if (at < text.length && !",\r\n".includes(text[at] as string))
          throw badCsv(where, line, "a comma or the end of the line after a closing quote", `"${text[at]}"`)
      } else {
        const end = fieldEnd(text, at)
        field = text.slice(at, end)
        at = end
      }
      fields.push(field)
      isOpen = text[at] === ","
      if (isOpen) at++
    }
    if (text[at] === "\r") at++
    if (text[at] === "\n") at++
    line++
    if (fields.length > 1 || fields[0]?.trim() !== "") yield { line: start, fields }
  }
}

function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at
  }
  return -1
}

function fieldEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at++
  return at
}

function countLineEnds(text: string): number {
  return text.split(/\r\n|\r|\n/).length - 1
}

function badCsv(where: string, line: number, expected: string, got: string): LearnlossError {
  return new LearnlossError("BAD_CSV", { where: `${where}, line ${line}`, expected, got })
}
