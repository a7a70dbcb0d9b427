import { LearnlossError } from "@learnloss/engine"
import type { DataDefect } from "../reader.ts"

/** What can be wrong with annotated images, in the order in which summaries list it. */
export const defectKinds = [
  "unreadable-annotation",
  "unsafe-path",
  "missing-image",
  "missing-annotation",
  "unreadable-image",
  "damaged-image",
  "oversized-image",
  "wrong-size",
  "size-zero",
  "other-image",
  "duplicate-stem",
  "duplicate-image",
  "unreadable-object",
  "bad-coordinates",
  "zero-area",
  "outside-image",
  "partly-outside",
  "unknown-class",
  "crowd",
  "bad-skeleton",
  "unpaired-names",
  "duplicate-id",
  "scale-zero",
  "wrong-joint-count",
  "joint-outside",
  "no-head-box",
  "no-joints",
  "grey-image",
  "cmyk-image",
  "deep-image",
  "unused-file",
] as const
export type DefectKind = (typeof defectKinds)[number]

/**
 * What a defect costs: nothing (`noted`), the part of a box that lies outside the image (`clipped`), a box, a joint, a
 * person, or an image with all that is in it.
 */
export type DefectCost = "noted" | "clipped" | "box" | "joint" | "person" | "image"

/** Something wrong with annotated images; what it costs is what training goes without. */
export interface AnnotationDefect extends DataDefect {
  readonly kind: DefectKind
  readonly cost: DefectCost
  /** What is wrong, without what training does about it, which `reason` tells too. */
  readonly finding: string
}

/** Thrown by what reads one object, to leave out that object alone. */
export class ObjectDefect extends Error {
  readonly kind: DefectKind

  constructor(kind: DefectKind, reason: string) {
    super(reason)
    this.kind = kind
  }
}

const namedDefects = 5

/** Takes down defects as a reader finds them and passes each on at once. */
export class DefectLog {
  readonly defects: AnnotationDefect[] = []
  /** Ids of images that have a defect which costs the image. */
  readonly spoiled = new Set<string>()
  readonly #pass: ((defect: AnnotationDefect) => void) | undefined

  constructor(pass?: (defect: AnnotationDefect) => void) {
    this.#pass = pass
  }

  /** A defect that training goes on with: what is wrong has no consequence, or none but for the box. */
  add(kind: DefectKind, cost: Exclude<DefectCost, "image">, file: string, reason: string): void {
    this.#tell(kind, cost, file, reason)
  }

  /** A defect for which an image is left out with all its boxes. */
  spoil(id: string, kind: DefectKind, file: string, reason: string): void {
    this.spoiled.add(id)
    this.#tell(kind, "image", file, reason)
  }

  /**
   * The object that `read` gives, with its place; none where it throws an `ObjectDefect`.
   *
   * @param place where the object stands in the file, e.g. `line 3`
   */
  tryObject<T extends object>(file: string, place: string, read: () => T): (T & { readonly place: string })[] {
    try {
      return [{ ...read(), place }]
    } catch (error) {
      if (!(error instanceof ObjectDefect)) throw error
      this.add(error.kind, "box", file, `${place}: ${error.message}`)
      return []
    }
  }

  /** Takes over what another log took down. */
  append(other: DefectLog): void {
    for (const id of other.spoiled) this.spoiled.add(id)
    for (const defect of other.defects) this.#take(defect)
  }

  #tell(kind: DefectKind, cost: DefectCost, file: string, finding: string): void {
    this.#take({ kind, cost, file, finding, reason: `${finding}${consequences[cost]}`, isFatal: false })
  }

  #take(defect: AnnotationDefect): void {
    this.defects.push(defect)
    this.#pass?.(defect)
  }

  /**
   * Refuses what has a defect that costs something.
   *
   * @throws LearnlossError `DEFECTIVE_DATA` naming the first defects and how many there are
   */
  requireNone(where: string): void {
    const costly = this.defects.filter((defect) => defect.cost !== "noted")
    if (costly.length === 0) return
    const named = costly.slice(0, namedDefects).map(({ file, reason }) => `${file} (${reason})`)
    throw new LearnlossError("DEFECTIVE_DATA", {
      where,
      expected: "annotations without defects",
      got: `${costly.length}: ${named.join("; ")}${costly.length > namedDefects ? "; and others" : ""}`,
      fix: "`learnloss data check` lists them all; mend them, or go on without them by `skip`.",
    })
  }
}

const consequences: Record<DefectCost, string> = {
  noted: "",
  clipped: ": clipped to the image",
  box: ": box left out",
  joint: ": joint left out",
  person: ": person left out",
  image: ": image left out",
}
