/** A JSON object of which nothing is known. */
export type JsonObject = { readonly [key: string]: unknown }

/** Ids are numbers; some tools write text. */
export type CocoId = number | string

/** An entry of `images`; other keys are passed on. */
export interface CocoImageJson extends JsonObject {
  readonly id: CocoId
  readonly file_name: string
}

/** An entry of `annotations`; other keys are passed on. */
export interface CocoObjectJson extends JsonObject {
  readonly image_id: CocoId
  readonly category_id: CocoId
  /** Left, top, width and height in pixels. */
  readonly bbox: readonly [number, number, number, number]
}

/** An entry of `categories`; other keys are passed on. */
export interface CocoCategoryJson extends JsonObject {
  readonly id: CocoId
  readonly name: string
}

/** What one instances file holds beside images and annotations. */
export interface CocoSetJson {
  /** Path of the file relative to the set's folder. */
  readonly file: string
  readonly categories: readonly CocoCategoryJson[]
  /** `info`, `licenses` and whatever else stood there. */
  readonly rest: JsonObject
}

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Whether a value can be an id. */
export function isId(value: unknown): value is CocoId {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value))
}

/** Whether a value nests no deeper than entries of COCO have any reason to, so that it can be written again. */
export function isShallow(value: unknown, levels = 16): boolean {
  if (typeof value !== "object" || value === null) return true
  if (levels === 0) return false
  return Object.values(value).every((inner) => typeof inner !== "object" || isShallow(inner, levels - 1))
}
