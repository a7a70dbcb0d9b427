import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node"
import { LearnlossError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { Device } from "../lowering/device.ts"

/** Version of ONNX Runtime; another one may round differently. */
export const runtimeVersion: string = env.versions.node ?? env.versions.common

/** How a session uses the machine. */
export interface SessionOptions {
  /** Threads that share the work of one node. */
  readonly threads: number
  /** What computes (default: `cpu`); nodes that another device cannot compute run on the processor. */
  readonly device?: Device
  /** Lets ONNX Runtime fuse, fold and block nodes; off keeps the graph as it was built. */
  readonly optimize?: boolean
  /** Keeps errors of a run from being printed; they are thrown either way. */
  readonly isSilent?: boolean
  /** Write a per-node profile (Chrome trace JSON) with this file prefix. */
  readonly profilePrefix?: string
}

/** A compiled graph. */
export interface Session {
  /** Runs the graph into outputs that ONNX Runtime allocates. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  /** Runs the graph on bound tensors, writing into the outputs' memory. */
  runInto(feeds: BoundTensors, outputs: BoundTensors): Promise<void>
  release(): Promise<void>
}

/** Tensors that ONNX Runtime reads and writes in place, by name. */
export type BoundTensors = Readonly<Record<string, OrtTensor>>

/** Binds the memory of a tensor, so that a session can read or write it without a copy. */
export function bind({ dtype, shape, data }: Tensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, [...shape])
}

function unbind(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type, shape: tensor.dims, data: tensor.data } as Tensor
}

/**
 * Compiles an ONNX model.
 *
 * @throws LearnlossError `MODEL_NOT_COMPILED` with ONNX Runtime's reason
 */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  let session: InferenceSession
  try {
    session = await InferenceSession.create(model, {
      executionProviders: [options.device ?? "cpu"],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // The pattern of the first run would be allocated beside what that run already took: almost twice the memory.
      enableMemPattern: false,
      graphOptimizationLevel: options.optimize === false ? "disabled" : "all",
      logSeverityLevel: options.isSilent === true ? 4 : 3,
      ...(options.profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
    })
  } catch (error) {
    throw new LearnlossError("MODEL_NOT_COMPILED", {
      where: "ONNX Runtime",
      expected: "a model it can run",
      got: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
  const inputs = new Set(session.inputNames)
  /** A graph that needs only some of what there is to feed has lost the other inputs when it was encoded. */
  const read = <T>(feeds: Readonly<Record<string, T>>) => Object.entries(feeds).filter(([name]) => inputs.has(name))
  return {
    async run(feeds) {
      const bound = Object.fromEntries(read(feeds).map(([name, tensor]) => [name, bind(tensor)]))
      const results = await session.run(bound)
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, unbind(tensor as OrtTensor)]))
    },
    async runInto(feeds, outputs) {
      await session.run(Object.fromEntries(read(feeds)), outputs)
    },
    async release() {
      if (options.profilePrefix !== undefined) session.endProfiling()
      await session.release()
    },
  }
}
