import { floatTensor, intTensor, type Tensor } from "../../graph/tensor.ts"
import { type WrittenModel, type WrittenNode, writeOnnxModel } from "../../testing/onnx-writer.ts"
import type { OnnxModel } from "../model.ts"
import { decodeOnnxModel } from "../read-model.ts"

/** Draws the graph of a file node by node, as an exporter does. */
export class Drawing {
  readonly nodes: WrittenNode[] = []
  readonly initializers: Record<string, Tensor> = {}

  /** Adds a node of one output and returns the output's name. */
  node(op: string, inputs: readonly string[], attributes: WrittenNode["attributes"] = {}, output?: string): string {
    return this.split(op, inputs, attributes, [output ?? `${op}_${this.nodes.length}`])[0] as string
  }

  /** Adds a node of several outputs and returns their names. */
  split(
    op: string,
    inputs: readonly string[],
    attributes: WrittenNode["attributes"],
    outputs: readonly string[],
  ): readonly string[] {
    this.nodes.push({ op, inputs, outputs, attributes: attributes ?? {}, name: `node_${op}_${this.nodes.length}` })
    return outputs
  }

  store(name: string, tensor: Tensor): string {
    this.initializers[name] = tensor
    return name
  }

  /** Whole numbers, stored under a name of their own. */
  ints(...values: readonly number[]): string {
    return this.store(`val_${Object.keys(this.initializers).length}`, intTensor([values.length], values))
  }

  int(value: number): string {
    return this.store(`val_${Object.keys(this.initializers).length}`, intTensor([], [value]))
  }

  scalar(value: number): string {
    return this.store(`val_${Object.keys(this.initializers).length}`, floatTensor([], Float32Array.of(value)))
  }

  written(rest: Pick<WrittenModel, "opset" | "inputs" | "outputs">): WrittenModel {
    return { ...rest, nodes: this.nodes, initializers: this.initializers }
  }
}

export function decoded(model: WrittenModel): OnnxModel {
  return decodeOnnxModel(writeOnnxModel(model), "net.onnx")
}
