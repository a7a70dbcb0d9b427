import { InternalError } from "../errors.ts"
import { answerCalls } from "../threads/answer-calls.ts"
import type { ComputeCalls } from "./compute-protocol.ts"
import { DeviceStep } from "./device-step.ts"
import { builtInProviders, createSession, type Session } from "./ort.ts"
import { type OpenStep, ResidentStep } from "./resident-step.ts"

/**
 * Runs on the compute thread: ONNX Runtime's Node binding blocks the thread that calls it, so sessions live here and
 * the main thread stays free for data, progress and signals.
 */
const opened = new Map<number, OpenStep | Session>()
let nextId = 1

function keep(item: OpenStep | Session): { id: number } {
  const id = nextId++
  opened.set(id, item)
  return { id }
}

function isStep(item: OpenStep | Session | undefined): item is OpenStep {
  return item instanceof ResidentStep || item instanceof DeviceStep
}

/** Only WebGPU's tensors can stay where they are; the state of other devices is copied to them and back in every step. */
function openStep({ model, options, layout }: ComputeCalls["openStep"][0]): Promise<OpenStep> {
  return (options.device === "webgpu" ? DeviceStep : ResidentStep).open(model, options, layout)
}

function step(id: number): OpenStep {
  const item = opened.get(id)
  if (!isStep(item)) throw new InternalError(`${id} is no open training step`)
  return item
}

answerCalls<ComputeCalls>({
  openStep: async (argument) => keep(await openStep(argument)),
  runStep: ({ id, feeds, progress }) => step(id).run(feeds, progress),
  stateOfStep: ({ id }) => step(id).state(),
  loadStep: async ({ id, state }) => {
    await step(id).load(state)
    return null
  },
  openSession: async ({ model, options }) => keep(await createSession(model, options)),
  runSession: async ({ id, feeds }) => {
    const item = opened.get(id)
    if (item === undefined || isStep(item)) throw new InternalError(`${id} is no open session`)
    const outputs = await item.run(feeds)
    return { outputs, finishedAt: performance.timeOrigin + performance.now() }
  },
  placementOf: async ({ id }) => opened.get(id)?.placement() ?? null,
  providers: async () => builtInProviders(),
  release: async ({ id }) => {
    await opened.get(id)?.release()
    opened.delete(id)
    return null
  },
})
