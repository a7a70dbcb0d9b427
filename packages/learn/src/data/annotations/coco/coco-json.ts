/** A JSON object of which nothing is known. */
export type JsonObject = { readonly [key: string]: unknown }

/** An entry of `images`; other keys are passed on. */
export interface CocoImageJson extends JsonObject {
  readonly id: number
  readonly file_name: string
}

/** An entry of `annotations`; other keys are passed on. */
export interface CocoObjectJson extends JsonObject {
  readonly id?: number
  readonly image_id: number
  readonly category_id: number
  /** Left, top, width and height in pixels. */
  readonly bbox: readonly [number, number, number, number]
}

/** An entry of `categories`; other keys are passed on. */
export interface CocoCategoryJson extends JsonObject {
  readonly id: number
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
