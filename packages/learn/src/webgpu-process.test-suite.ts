import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type DeviceName, runConfigSchema } from "@learnloss/contract"
import { createRng, type Placement, requireDevice } from "@learnloss/engine"
import { openDataset } from "./data/open-dataset.ts"
import { runTrial } from "./loop.ts"
import { resolveRun } from "./resolve-run.ts"

// A process of its own for webgpu.test.ts: ONNX Runtime looks for GPUs by the environment that it was started in.
const devices = process.argv.slice(2) as DeviceName[]
const steps = 10

const dataset = await openDataset("shapes:64,32", {
  imageSize: 16,
  rng: createRng("shapes"),
  onProgress: () => {},
  onDefect: () => {},
})

/** Two cycles on a device: ten steps each, an evaluation, a scoring between them. */
async function runOn(device: DeviceName) {
  await requireDevice(device)
  const given = runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4", width: 4 },
    lossModule: { width: 8 },
    training: { steps, batch: 8, learningRate: 0.01 },
    budget: { initial: 16, perCycle: 8, cycles: 2, candidates: 32 },
    strategies: ["learning-loss"],
    engine: { device, threads: 1, lowerings: "fixed" },
  })
  const config = await resolveRun(given, dataset, () => {})
  const checkpointFolder = mkdtempSync(join(tmpdir(), "learnloss-webgpu-"))
  const losses: number[] = []
  const records: { testLoss: number; targetLoss: readonly number[]; predictedLoss: readonly number[] | null }[] = []
  const scores: (readonly number[])[] = []
  let placement: Placement | undefined
  try {
    await runTrial({
      config,
      dataset,
      strategy: "learning-loss",
      trial: 1,
      recorder: {
        finished: { cycles: [], selections: [] },
        checkpointFolder,
        recordInitial: () => {},
        recordCycle({ record, predictions, selection }) {
          const { targetLoss, predictedLoss } = predictions
          records.push({ testLoss: record.testLoss, targetLoss, predictedLoss })
          if (selection?.scores) scores.push(selection.scores)
        },
      },
      emit(event) {
        if (event.type === "step") losses.push(event.loss)
        if (event.type === "placed") placement = event.placement
      },
      signal: new AbortController().signal,
    })
  } finally {
    rmSync(checkpointFolder, { recursive: true, force: true })
  }
  return { losses, records, scores, placement }
}

export type DeviceRun = Awaited<ReturnType<typeof runOn>>

const outcome: Record<string, DeviceRun> = {}
for (const device of devices) outcome[device] = await runOn(device)
process.stdout.write(JSON.stringify(outcome))
