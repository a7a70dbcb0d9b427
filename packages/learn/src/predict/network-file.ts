import { decodeOnnxModel, LearnlossError } from "@learnloss/engine"
import type { Skeleton } from "../data/people.ts"
import type { ExportedData, ImageInput } from "../export.ts"
import { isOutputsReader, outputReaders, type ReadableTask } from "./read-outputs.ts"

/** A written network with everything that is needed to use it. */
export interface NetworkFile {
  /** How messages call it. */
  readonly where: string
  /** An ONNX model. */
  readonly model: Uint8Array
  readonly task: ReadableTask
  readonly classNames: readonly string[]
  readonly images: ImageInput
  readonly normalization: ExportedData["normalization"]
  /** Of the joints that it finds, which its classes name. */
  readonly skeleton?: Pick<Skeleton, "bones" | "pairs">
  readonly inputName: string
  readonly outputNames: readonly string[]
}

/** What reading metadata needs of a value that should be one of a kind. */
type Check<T> = (value: unknown) => value is T

/**
 * Reads what a network's file says of itself: its task, its classes and how images are brought to it.
 *
 * @param model bytes of a file that `exportNetwork` wrote
 * @throws LearnlossError `NETWORK_NOT_TOLD` for a file whose metadata lack something, and what reading ONNX files throws
 */
export function readNetworkFile(model: Uint8Array, where: string): NetworkFile {
  const { inputs, outputs, metadata } = decodeOnnxModel(model, where)
  const read = <T>(key: string, check: Check<T>): T => {
    const text = metadata.get(key)
    if (text === undefined) throw notTold(where, `its metadata to hold "${key}"`, describeKeys(metadata))
    const value = parsed(text)
    if (!check(value)) throw notTold(where, `usable "${key}" in its metadata`, text.slice(0, 80))
    return value
  }
  const task = metadata.get("task") ?? ""
  if (!isOutputsReader(task)) {
    const known = Object.keys(outputReaders)
      .join(", ")
      .replace(/, (?=[^,]+$)/, " or ")
    throw notTold(where, `its metadata to name its task, ${known}`, task === "" ? describeKeys(metadata) : task)
  }
  const images = read("images", isImageInput)
  const [input] = inputs
  if (input === undefined || inputs.length > 1) throw notTold(where, "one input", String(inputs.length))
  const perChannel = (value: unknown): value is number[] => isNumbers(value) && value.length === images.channels
  return {
    where,
    model,
    task,
    classNames: read("classes", isNames),
    images,
    normalization: { mean: read("mean", perChannel), std: read("std", perChannel) },
    ...(metadata.has("skeleton") && { skeleton: read("skeleton", isSkeleton) }),
    inputName: input.name,
    outputNames: outputs.map(({ name }) => name),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string")
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => Number.isFinite(number))
}

/** Whether something joins joints; which there are is not looked at. */
function isSkeleton(value: unknown): value is Pick<Skeleton, "bones" | "pairs"> {
  if (typeof value !== "object" || value === null) return false
  const { bones, pairs } = value as Record<string, unknown>
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((joint) => Number.isInteger(joint) && joint >= 0)
  return [bones, pairs].every((list) => Array.isArray(list) && list.every(isPair))
}

function isImageInput(value: unknown): value is ImageInput {
  if (typeof value !== "object" || value === null) return false
  const { channels, height, width, layout, fit } = value as Record<string, unknown>
  return (
    (channels === 1 || channels === 3) &&
    [height, width].every((length) => Number.isInteger(length) && (length as number) > 0) &&
    ["channels-first", "channels-last", "flat"].includes(layout as string) &&
    ["cover", "stretch", "square crop"].includes(fit as string)
  )
}

function describeKeys(metadata: ReadonlyMap<string, string>): string {
  return metadata.size === 0 ? "no metadata" : `only ${[...metadata.keys()].join(", ")}`
}

function notTold(where: string, expected: string, got: string): LearnlossError {
  const fix = "Give a file that `learnloss export` or `learnloss fit` wrote, or write it again with this version."
  return new LearnlossError("NETWORK_NOT_TOLD", { where, expected, got, fix })
}
