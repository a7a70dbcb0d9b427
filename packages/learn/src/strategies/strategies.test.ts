import { strategyNames } from "@learnloss/contract"
import { createRng } from "@learnloss/engine"
import { describe, expect, test } from "vitest"
import { farthestFirst } from "./core-set.ts"
import { strategies } from "./strategies.ts"
import type { Matrix, Signals } from "./strategy.ts"

function matrix(rows: readonly (readonly number[])[]): Matrix {
  return { rows: rows.length, columns: rows[0]?.length ?? 0, data: Float32Array.from(rows.flat()) }
}

const draw = createRng("signals")
const ids = Array.from({ length: 60 }, (_, index) => `train/${index}`)
const signals: Required<Signals> = {
  ids,
  uncertainty: Float32Array.from(ids, () => draw.float()),
  predictedLoss: Float32Array.from(ids, () => draw.normal()),
  embedding: matrix(ids.map(() => [draw.normal(), draw.normal(), draw.normal()])),
  labeledEmbedding: matrix([
    [0, 0, 0],
    [1, 1, 1],
  ]),
}

describe.each(strategyNames)("%s", (name) => {
  const strategy = strategies[name]
  /** Only what the strategy says it needs, so that reading anything else shows. */
  const given = { ids, ...Object.fromEntries(strategy.needs.map((signal) => [signal, signals[signal]])) }

  test("selects unique candidates, as many as asked, with a falling score each", () => {
    const selection = strategy.select(given, 17, createRng("a"))
    expect(new Set(selection.ids).size).toBe(17)
    for (const id of selection.ids) expect(ids).toContain(id)
    if (selection.scores !== null) {
      expect(selection.scores).toHaveLength(17)
      expect(selection.scores).toEqual(selection.scores.toSorted((a, b) => b - a))
    }
  })

  test("takes all candidates when asked for more", () => {
    expect(strategy.select(given, 1000, createRng("a")).ids.toSorted()).toEqual(ids.toSorted())
  })

  test("chooses the same with the same generator, and does not depend on drawing before", () => {
    expect(strategy.select(given, 9, createRng("b"))).toEqual(strategy.select(given, 9, createRng("b")))
  })

  test("reads predicted losses only of a module that it trains", () => {
    if ((strategy.needs as readonly string[]).includes("predictedLoss"))
      expect(strategy.training.lossModule).not.toBe("none")
    else expect(strategy.training.lossModule).toBe("none")
  })
})

test("learning loss labels the highest predicted losses, entropy the highest entropies", () => {
  const ranked = (scores: Float32Array) =>
    ids.toSorted((a, b) => scores[ids.indexOf(b)]! - scores[ids.indexOf(a)]!).slice(0, 5)
  expect(strategies["learning-loss"].select(signals, 5, createRng("c")).ids).toEqual(ranked(signals.predictedLoss))
  expect(strategies.entropy.select(signals, 5, createRng("c")).ids).toEqual(ranked(signals.uncertainty))
})

test("random draws every candidate equally often", () => {
  const counts = new Map<string, number>()
  for (let draws = 0; draws < 3000; draws++) {
    for (const id of strategies.random.select({ ids: ids.slice(0, 6) }, 2, createRng(draws)).ids)
      counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120)
})

test("equal scores are ordered by chance alone", () => {
  const flat = { ids, predictedLoss: new Float32Array(60) }
  const first = new Set(
    Array.from({ length: 40 }, (_, seed) => strategies["learning-loss"].select(flat, 1, createRng(seed)).ids[0]),
  )
  expect(first.size).toBeGreaterThan(15)
})

test("core-set takes the farthest point first, then the farthest from that too", () => {
  const line = matrix([[1], [10], [9], [-4], [0.5]])
  const { positions, distances } = farthestFirst(line, matrix([[0]]), 3, createRng("line"))
  expect(positions).toEqual([1, 3, 0])
  expect(distances).toEqual([10, 4, 1])
})

test("core-set agrees with the definition, distances computed anew at every step", () => {
  const covered = [
    [0, 0, 0],
    [1, 1, 1],
  ]
  const rows = ids.map((_, index) => Array.from(signals.embedding.data.subarray(index * 3, index * 3 + 3)))
  const chosen: number[] = []
  for (let step = 0; step < 12; step++) {
    const centers = [...covered, ...chosen.map((position) => rows[position]!)]
    const reach = rows.map((row) =>
      Math.min(...centers.map((center) => Math.hypot(...row.map((value, axis) => value - center[axis]!)))),
    )
    chosen.push(reach.indexOf(Math.max(...reach)))
  }
  expect(farthestFirst(signals.embedding, signals.labeledEmbedding, 12, createRng("x")).positions).toEqual(chosen)
})
