import { expect, test } from "vitest"
import type { ConvProduct, Lowering } from "../lowering/product.ts"
import { Hopeless } from "./hopeless.ts"

const product = (channels: number, strides: readonly [number, number] = [1, 1]): ConvProduct => ({
  kind: "forward",
  inputShape: [32, channels, 8, 8],
  weightShape: [channels, channels, 3, 3],
  outputShape: [32, channels, 8, 8],
  strides,
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  group: 1,
})
const candidates = ["first", "a", "b", "c"].map((name): Lowering => {
  return { name, fits: () => true, build: () => expect.fail("nothing is built") }
})
const names = (lowerings: readonly Lowering[]) => lowerings.map(({ name }) => name)

test("lowerings that lost by far twice, and never came closer, are left out of products that differ in size alone", () => {
  const hopeless = new Hopeless()
  hopeless.learn(product(32), { chosen: "c", milliseconds: { first: 90, a: 90, b: 20, c: 10 } })
  expect(names(hopeless.without(product(64), candidates))).toEqual(["first", "a", "b", "c"])
  hopeless.learn(product(64), { chosen: "c", milliseconds: { first: 90, a: 90, b: 90, c: 10 } })
  expect(names(hopeless.without(product(128), candidates))).toEqual(["first", "b", "c"])
  expect(names(hopeless.without(product(128, [2, 2]), candidates))).toEqual(["first", "a", "b", "c"])
  expect(names(hopeless.without(product(8), candidates))).toEqual(["first", "a", "b", "c"])
  hopeless.learn(product(128), { chosen: "c", milliseconds: { first: 90, a: null, b: 90, c: 10 } })
  hopeless.learn(product(256), { chosen: "c", milliseconds: { first: 90, a: null, b: 90, c: 10 } })
  expect(names(hopeless.without(product(512), candidates))).toEqual(["first", "b", "c"])
})
