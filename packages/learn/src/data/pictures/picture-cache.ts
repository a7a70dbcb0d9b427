/**
 * Keeps what was made for a key while there is room, in bytes; what was asked for longest ago goes first. Who asks for
 * what is being made waits for the same.
 */
export class PictureCache<Item> {
  readonly #bytesOf: (item: Item) => number
  /** In the order in which they were last asked for. */
  readonly #items = new Map<string, { readonly item: Promise<Item>; bytes: number }>()
  #bytes = 0

  constructor(bytesOf: (item: Item) => number) {
    this.#bytesOf = bytesOf
  }

  /** What all kept items take. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param limit bytes that everything kept may take; an item larger than that is not kept */
  async get(key: string, make: () => Promise<Item>, limit: number): Promise<Item> {
    const known = this.#items.get(key)
    if (known !== undefined) {
      this.#items.delete(key)
      this.#items.set(key, known)
      return known.item
    }
    const entry = { item: make(), bytes: 0 }
    this.#items.set(key, entry)
    try {
      const item = await entry.item
      entry.bytes = this.#bytesOf(item)
      this.#bytes += entry.bytes
      this.#makeRoom(limit)
      return item
    } catch (error) {
      this.#items.delete(key)
      throw error
    }
  }

  #makeRoom(limit: number): void {
    for (const [key, { bytes }] of this.#items) {
      if (this.#bytes <= limit) return
      // Zero bytes: it is still being made.
      if (bytes === 0) continue
      this.#items.delete(key)
      this.#bytes -= bytes
    }
  }
}
