/**
 * Works on items a few at a time and gives the results in order; an error is a result. Never more than `ahead` items are
 * begun whose results nobody has taken, so what waits is bounded however long the list is.
 */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  ahead: number,
): AsyncGenerator<{ readonly item: Item; readonly result: Result | Error }> {
  const begun: Promise<Result | Error>[] = []
  let next = 0
  for (const item of items) {
    while (next < items.length && begun.length < ahead) {
      const result = work(items[next++] as Item)
      begun.push(result.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))))
    }
    yield { item, result: await (begun.shift() as Promise<Result | Error>) }
  }
}
