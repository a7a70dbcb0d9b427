/**
 * @file Floating point operations of a graph: two for each multiplication with its addition in convolutions (computed
 * directly, by their definition) and matrix products. Everything else is left out.
 */

const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1)

/** Operations of one node in its forward direction; each of its gradients costs the same. */
function productFlops({ op, inputs, attributes, outputs }) {
  const [first, second] = inputs.map(({ shape }) => shape)
  switch (op) {
    case "Conv":
      return 2 * sizeOf(outputs[0].shape) * sizeOf(second.slice(1))
    case "ConvTranspose":
      return 2 * sizeOf(first) * sizeOf(second.slice(1))
    case "MatMul":
    case "Gemm":
    case "FusedMatMul":
      return 2 * sizeOf(outputs[0].shape) * first.at(attributes.transA ? -2 : -1)
    default:
      return 0
  }
}

/** The nodes that values need, without those that stand before an op of the given name. */
function nodesBehind(graph, values, barrier = undefined) {
  const found = new Set()
  const waiting = [...values]
  while (waiting.length > 0) {
    const node = graph.producerOf(waiting.pop())
    if (node === undefined || found.has(node)) continue
    found.add(node)
    if (node.op !== barrier) waiting.push(...node.inputs)
  }
  return found
}

/**
 * Operations of computing some values of a graph.
 *
 * @param {import("@learnloss/engine").Graph} graph
 * @param {readonly import("@learnloss/engine").Value[]} outputs
 */
export function forwardFlops(graph, outputs) {
  return [...nodesBehind(graph, outputs)].reduce((sum, node) => sum + productFlops(node), 0)
}

/**
 * Operations of a training step: forward, and one more product for each factor that a parameter stands behind. So the
 * first layer costs two products and not three, since nobody needs the gradient of the images.
 *
 * @param {Pick<import("@learnloss/engine").TrainingSpec, "graph" | "loss" | "network">} spec before it is compiled, which adds its gradients
 */
export function trainingFlops({ graph, loss, network }) {
  const trained = new Set(
    network.specs.flatMap(({ name, kind }) => (kind === "parameter" ? [network.values.get(name)] : [])),
  )
  const needed = nodesBehind(graph, [loss])
  const differentiated = nodesBehind(graph, [loss], "StopGradient")
  let flops = 0
  // Nodes stand after what they read.
  for (const node of graph.nodes) {
    if (needed.has(node)) flops += productFlops(node)
    if (!differentiated.has(node) || node.op === "StopGradient") continue
    const factors = node.inputs.filter((input) => trained.has(input)).length
    flops += productFlops(node) * factors
    if (factors > 0) for (const output of node.outputs) trained.add(output)
  }
  return flops
}
