import { expect, it } from "vitest"
import { inOrder } from "./in-order.ts"

it("gives results in order, errors too, and never begins more than it may", async () => {
  const items = Array.from({ length: 200 }, (_, index) => index)
  let begun = 0
  let taken = 0
  let most = 0
  const work = async (item: number) => {
    begun++
    most = Math.max(most, begun - taken)
    // The later an item of four, the sooner it is done.
    await new Promise((resolve) => setTimeout(resolve, 3 - (item % 4)))
    if (item % 50 === 7) throw new Error(`no ${item}`)
    return item * 2
  }
  const results: unknown[] = []
  for await (const { item, result } of inOrder(items, work, 6)) {
    taken++
    results.push(result instanceof Error ? result.message : result)
    expect(results).toHaveLength(item + 1)
  }
  expect(results).toEqual(items.map((item) => (item % 50 === 7 ? `no ${item}` : item * 2)))
  expect(most).toBe(6)
})

it("has nothing to give for nothing", async () => {
  for await (const _ of inOrder([], async () => 1, 4)) expect.unreachable()
})
