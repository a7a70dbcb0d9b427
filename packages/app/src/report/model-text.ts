import type { ModelInspection, ReadableOp } from "@learnloss/engine"
import { formatCount, plural } from "./format.ts"

/** The ops that networks may be made of, as a table. */
export function formatOps(ops: readonly ReadableOp[]): string {
  return table([
    ["op", "opsets", "gradient"],
    ...ops.map(({ op, opsets, gradient }) => [op, opsets, gradient ? "yes" : "no"]),
  ])
}

/** What `learnloss model inspect` says of a file. */
export function formatInspection(file: string, inspection: ModelInspection): string {
  const { producer, opset, parameters, flops, ops, embedding, finalSoftmax, obstacles } = inspection
  const tensors = parameters.tensors.filter(({ kind }) => kind === "parameter").length
  const madeBy = [producer.name, producer.version].filter((word) => word !== "").join(" ") || "an unknown exporter"
  return [
    `${file}: opset ${opset}, made by ${madeBy}`,
    ...inspection.inputs.map(({ name, dataType, shape }) => `input   ${name}: ${dataType ?? "?"} ${dimensions(shape)}`),
    ...inspection.outputs.map(
      ({ name, dataType, probed, shape }) => `output  ${name}: ${dataType ?? "?"} ${dimensions(shape ?? probed)}`,
    ),
    ...(inspection.shapesUnknown === undefined ? [] : [`Shapes are unknown. ${inspection.shapesUnknown}`]),
    ...(inspection.batch === "fixed" ? [`The file computes with a batch of ${inspection.batchSize} only.`] : []),
    "",
    `${formatCount(parameters.count)} parameters in ${plural(tensors, "tensor")}, ${formatSize(parameters.bytes)}; ${flops === undefined ? "cost unknown" : `${formatFlops(flops)} FLOPs a sample (convolutions and matrix products)`}`,
    "",
    table([
      ["op", "count", "read", "gradient"],
      ...ops.map(({ op, domain, count, isReadable, hasGradient }) => [
        domain === "" ? op : `${domain}.${op}`,
        String(count),
        isReadable ? "yes" : "no",
        hasGradient ? "yes" : "no",
      ]),
    ]),
    "",
    ...trainability(obstacles),
    ...inputNote(inspection),
    ...(finalSoftmax === undefined
      ? []
      : [`${finalSoftmax.op} ends the network; training cuts it off where it is a Softmax.`]),
    ...foldedNote(inspection),
    "",
    ...(inspection.shapesUnknown === undefined ? suggestions(inspection) : []),
    `Embedding: ${embedding.name} ${dimensions(embedding.shape)}`,
  ].join("\n")
}

function suggestions({ taps }: ModelInspection): string[] {
  return [
    taps.length === 0
      ? "Nothing suggests itself as a tap; name values with --taps."
      : "Suggested taps (the last feature map of each resolution), for one sample:",
    ...(taps.length === 0
      ? []
      : [table(taps.map(({ name, shape, layout }) => [`  ${name}`, dimensions(shape), layout]))]),
  ]
}

function trainability(obstacles: ModelInspection["obstacles"]): string[] {
  if (obstacles.length === 0)
    return ["Gradients reach all of it: the ops without a gradient only work out shapes or compare."]
  return obstacles.map(({ op, domain, node, lacks, parameters, parameterCount }) => {
    const more = parameterCount > parameters.length ? ` and ${parameterCount - parameters.length} more` : ""
    return `${domain === "" ? op : `${domain}.${op}`} node "${node}" has no ${lacks}: what comes before it cannot be trained (${parameters.join(", ")}${more}). Freeze that, take an earlier value as output, or tap after it.`
  })
}

/** What stands in the way of `fit` and `run` besides ops. */
function inputNote({ inputs }: ModelInspection): string[] {
  if (inputs.length !== 1)
    return [`It has ${inputs.length} inputs: rank, fit and run take networks whose images are their only input.`]
  const type = inputs[0]?.dataType
  return type === "float32" || type === undefined ? [] : [`Its input is ${type}: fit and run take float32 images.`]
}

function foldedNote({ foldedNorm, recipe }: ModelInspection): string[] {
  if (foldedNorm === "yes") return recipe === undefined ? [] : [recipe]
  if (foldedNorm === "no") return []
  return ["No normalisation, and biases in every convolution: batch normalisation may have been folded into them."]
}

function dimensions(shape: readonly (number | string | undefined)[] | undefined): string {
  return shape === undefined ? "[?]" : `[${shape.map((length) => length ?? "?").join(", ")}]`
}

function formatSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function formatFlops(flops: number): string {
  if (flops >= 1e9) return `${(flops / 1e9).toFixed(2)} G`
  return flops >= 1e6 ? `${(flops / 1e6).toFixed(1)} M` : formatCount(flops)
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}
