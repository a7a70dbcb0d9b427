import { InternalError, LearnlossError } from "../errors.ts"
import { add, expand, reduceSum, reshape } from "../graph/build.ts"
import { type AnyNode, type Graph, nodesNeededFor, type Value } from "../graph/graph.ts"
import { floatTensor, type Shape, sizeOf } from "../graph/tensor.ts"
import type { GradientRule, RuleContext } from "./rule.ts"
import { gradientRules } from "./rules/index.ts"

/**
 * Adds the nodes that compute the gradient of a scalar loss with respect to each parameter (reverse mode).
 *
 * @param loss scalar, `float32`
 * @param parameters inputs of the graph, `float32`
 * @returns one gradient per parameter, each of its parameter's shape; zeros where the loss does not depend on it
 * @throws LearnlossError `LOSS_NOT_SCALAR`, or `NO_GRADIENT` when an op without a gradient stands between a parameter and the loss
 */
export function gradients(graph: Graph, loss: Value, parameters: readonly Value[]): Value[] {
  if (sizeOf(loss.shape) !== 1) {
    throw new LearnlossError("LOSS_NOT_SCALAR", {
      where: `loss ${loss.name}`,
      expected: "one number",
      got: `shape [${loss.shape.join(", ")}]`,
      fix: "Reduce it with a mean or a sum first.",
    })
  }
  const nodes = nodesNeededFor(graph, [loss])
  const dependent = dependentValues(nodes, parameters)
  const contributions = new Map<Value, Value[]>()
  contributions.set(loss, [graph.constant(floatTensor(loss.shape, Float32Array.of(1)), "one")])

  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => contributions.has(output)) || !node.inputs.some((input) => dependent.has(input)))
      continue
    const inputGradients = applyRule(node, (output) => accumulated(contributions.get(output), output))
    for (const [position, input] of node.inputs.entries()) {
      const gradient = inputGradients[position]
      if (gradient === null || gradient === undefined || !dependent.has(input)) continue
      const fitted = sumBroadcastAxes(gradient, input.shape)
      const others = contributions.get(input)
      if (others === undefined) contributions.set(input, [fitted])
      else others.push(fitted)
    }
  }
  return parameters.map((parameter) => accumulated(contributions.get(parameter), parameter))
}

/** Values through which a gradient can reach a parameter: everything computed from one, up to a `StopGradient`. */
function dependentValues(nodes: readonly AnyNode[], parameters: readonly Value[]): Set<Value> {
  const dependent = new Set<Value>(parameters)
  for (const node of nodes) {
    if (node.op === "StopGradient" || !node.inputs.some((input) => dependent.has(input))) continue
    for (const output of node.outputs) if (output.dtype === "float32" && isDifferentiable(node)) dependent.add(output)
  }
  return dependent
}

/** Comparisons and the like end a gradient's path by their nature; other ops without a rule are refused when reached. */
function isDifferentiable(node: AnyNode): boolean {
  return !["Sign", "Floor", "Ceil", "Round", "Cast", "OneHot"].includes(node.op)
}

function applyRule(node: AnyNode, gradientOf: (output: Value) => Value): readonly (Value | null)[] {
  const rule = gradientRules[node.op] as GradientRule<typeof node.op>
  if (rule === "none") {
    throw new LearnlossError("NO_GRADIENT", {
      where: `node ${node.outputs[0]?.name}`,
      expected: "an op with a gradient between the parameters and the loss",
      got: node.op,
      fix: "Freeze what comes before it, or stop the gradient there.",
    })
  }
  const context = { node, outputGradient: (position = 0) => gradientOf(node.outputs[position] as Value) }
  const results = (rule as (context: RuleContext<typeof node.op>) => readonly (Value | null)[])(
    context as RuleContext<typeof node.op>,
  )
  if (results.length !== node.inputs.length) {
    throw new InternalError(`the rule of ${node.op} gave ${results.length} gradients for ${node.inputs.length} inputs`)
  }
  return results
}

/** The sum of all contributions to a value's gradient, in the value's shape; small ones are added before large ones. */
function accumulated(parts: readonly Value[] | undefined, of: Value): Value {
  if (parts === undefined) return of.graph.constant(floatTensor(of.shape), "zeros")
  const bySize = parts.toSorted((a, b) => sizeOf(a.shape) - sizeOf(b.shape))
  return expand(
    bySize.reduce((sum, part) => add(sum, part)),
    of.shape,
  )
}

/** Sums a gradient over the axes along which its input was broadcast. */
function sumBroadcastAxes(gradient: Value, shape: Shape): Value {
  const added = Math.max(0, gradient.shape.length - shape.length)
  const axes = gradient.shape.flatMap((length, axis) =>
    axis < added || (shape[axis - added] === 1 && length !== 1) ? [axis] : [],
  )
  const summed = reduceSum(gradient, axes, true)
  return reshape(summed, summed.shape.slice(added))
}
