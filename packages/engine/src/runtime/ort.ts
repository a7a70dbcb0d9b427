import { env, InferenceSession, listSupportedBackends, Tensor as OrtTensor } from "onnxruntime-node"
import { LearnlossError } from "../errors.ts"
import type { Tensor } from "../graph/tensor.ts"
import type { Device } from "../lowering/device.ts"
import { type Placement, PlacementProfile } from "./placement.ts"

/** Version of ONNX Runtime; another one may round differently. */
export const runtimeVersion: string = env.versions.node ?? env.versions.common

// What is logged outside of sessions is thrown as well: a provider whose library is missing, above all.
env.logLevel = "fatal"

/** How a session uses the machine. */
export interface SessionOptions {
  /** Threads that share the work of one node. */
  readonly threads: number
  /** What computes (default: `cpu`); nodes that another device cannot compute run on the processor. */
  readonly device?: Device
  /** Lets ONNX Runtime fuse, fold and block nodes; off keeps the graph as it was built. */
  readonly optimize?: boolean
  /** Lets the session's threads sleep between runs; for sessions that take turns on the same cores. */
  readonly restsBetweenRuns?: boolean
  /** Keeps errors of a run from being printed; they are thrown either way. */
  readonly isSilent?: boolean
  /** Names of nodes that run on the processor although the device, which is `webgpu`, takes them. */
  readonly processorNodes?: readonly string[]
  /** Outputs that stay on the device, to be fed to it again; `webgpu` alone can do that. */
  readonly keptOnDevice?: readonly string[]
  /** Finds out in the first run which nodes run on the device. */
  readonly isPlacementWanted?: boolean
  /** Write a per-node profile (Chrome trace JSON) with this file prefix. */
  readonly profilePrefix?: string
}

/** A compiled graph. */
export interface Session {
  /** Runs the graph into outputs that ONNX Runtime allocates. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  /** Runs the graph on bound tensors, writing into the outputs' memory. */
  runInto(feeds: BoundTensors, outputs: BoundTensors): Promise<void>
  /** Runs the graph on bound tensors; outputs are bound too, so that some can stay on the device. */
  runBound(feeds: BoundTensors): Promise<BoundTensors>
  /** Where the nodes run; undefined unless it was wanted and the graph has run. */
  placement(): Placement | undefined
  release(): Promise<void>
}

/** Tensors that ONNX Runtime reads and writes in place, by name. */
export type BoundTensors = Readonly<Record<string, OrtTensor>>

/** Binds the memory of a tensor, so that a session can read or write it without a copy. */
export function bind({ dtype, shape, data }: Tensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, [...shape])
}

/** Names of the providers that this build of ONNX Runtime was made with; whether one works is another question. */
export function builtInProviders(): readonly string[] {
  return listSupportedBackends().map(({ name }) => name)
}

export function unbind(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type, shape: tensor.dims, data: tensor.data } as Tensor
}

/**
 * Compiles an ONNX model.
 *
 * @throws LearnlossError `MODEL_NOT_COMPILED` with ONNX Runtime's reason
 */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const { device = "cpu", keptOnDevice = [] } = options
  let profile = options.isPlacementWanted === true ? new PlacementProfile(device) : undefined
  const profilePrefix = profile?.prefix ?? options.profilePrefix
  const forced = options.processorNodes ?? []
  const provider = device === "webgpu" && forced.length > 0 ? { name: device, forceCpuNodeNames: forced } : device
  let session: InferenceSession
  try {
    session = await InferenceSession.create(model, {
      executionProviders: [provider],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // The pattern of the first run would be allocated beside what that run already took: almost twice the memory.
      enableMemPattern: false,
      graphOptimizationLevel: options.optimize === false ? "disabled" : "all",
      ...(options.restsBetweenRuns === true ? { extra: { session: { force_spinning_stop: "1" } } } : {}),
      logSeverityLevel: options.isSilent === true ? 4 : 3,
      ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
      ...(keptOnDevice.length === 0
        ? {}
        : { preferredOutputLocation: Object.fromEntries(keptOnDevice.map((name) => [name, "gpu-buffer" as const])) }),
    })
  } catch (error) {
    profile?.discard()
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
  let placement: Placement | undefined
  const run: InferenceSession["run"] = async (...given: [InferenceSession.FeedsType]) => {
    const results = await session.run(...given)
    if (profile === undefined) return results
    session.endProfiling()
    placement = profile.read()
    profile = undefined
    return results
  }
  return {
    async run(feeds) {
      const bound = Object.fromEntries(read(feeds).map(([name, tensor]) => [name, bind(tensor)]))
      const results = await run(bound)
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, unbind(tensor as OrtTensor)]))
    },
    async runInto(feeds, outputs) {
      await run(Object.fromEntries(read(feeds)), outputs)
    },
    async runBound(feeds) {
      return (await run(Object.fromEntries(read(feeds)))) as Record<string, OrtTensor>
    },
    placement: () => placement,
    async release() {
      if (profilePrefix !== undefined && placement === undefined) session.endProfiling()
      profile?.discard()
      await session.release()
    },
  }
}
