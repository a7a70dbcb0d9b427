import { create, type GraphProto, type NodeProto } from "./proto.ts"

/**
 * The node as it computes outside of training. Networks exported for training hold normalisation that reads its batch and
 * dropout that drops; a network that only ranks must do neither.
 */
export function inInferenceMode(node: NodeProto): NodeProto {
  const domain = node.domain ?? ""
  const isOwn = domain === "" || domain === "ai.onnx"
  if (isOwn && node.opType === "BatchNormalization") {
    // The statistics are further outputs in training only.
    return copyNode(node, {
      output: (node.output ?? []).slice(0, 1),
      attribute: (node.attribute ?? []).filter(({ name }) => name !== "training_mode"),
    })
  }
  if (isOwn && node.opType === "Dropout") return copyNode(node, { input: (node.input ?? []).slice(0, 2) })
  if (!(node.attribute ?? []).some(({ g, graphs }) => g || (graphs?.length ?? 0) > 0)) return node
  return copyNode(node, {
    attribute: (node.attribute ?? []).map((attribute) => {
      const { g, graphs } = attribute
      if (!g && (graphs?.length ?? 0) === 0) return attribute
      const { name, type } = attribute
      return create.attribute({
        ...{ name: name ?? "", type: type ?? 0 },
        ...(g ? { g: graphInInferenceMode(g) } : {}),
        graphs: (graphs ?? []).map(graphInInferenceMode),
      })
    }),
  })
}

function graphInInferenceMode(graph: GraphProto): GraphProto {
  const { name, initializer, sparseInitializer, input, output, valueInfo } = graph
  return create.graph({
    name: name ?? "",
    node: (graph.node ?? []).map(inInferenceMode),
    initializer: initializer ?? [],
    sparseInitializer: sparseInitializer ?? [],
    input: input ?? [],
    output: output ?? [],
    valueInfo: valueInfo ?? [],
  })
}

function copyNode(node: NodeProto, changes: Partial<NodeProto>): NodeProto {
  const { opType, domain, name, input, output, attribute } = node
  return create.node({
    opType: opType ?? "",
    domain: domain ?? "",
    name: name ?? "",
    input: input ?? [],
    output: output ?? [],
    attribute: attribute ?? [],
    ...changes,
  })
}
