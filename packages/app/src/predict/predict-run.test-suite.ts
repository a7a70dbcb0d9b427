import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type CycleRecord, runConfigSchema, type StrategyName } from "@learnloss/contract"
import { createRng, initializeParameters, saveCheckpoint } from "@learnloss/engine"
import { buildTraining, classification, openModel, strategyTraining } from "@learnloss/learn"
import sharp from "sharp"
import { keepNetworkData } from "../experiments/network-data.ts"
import { runFiles } from "../experiments/run-files.ts"
import { cycleRecord } from "../report/synthetic-run.test-suite.ts"

/** One network of a made-up run. */
export interface MadeUpNetwork {
  readonly strategy: StrategyName
  readonly trial: number
  /** Of its last cycle, which had 200 labels. */
  readonly accuracy: number
}

const classNames = ["cat", "dog", "bird"]
const imageShape = { channels: 3, height: 16, width: 16 }

/** Writes the folder of a run whose untrained networks tell three classes apart, as far as prediction reads it. */
export async function writeTrainedRun(folder: string, networks: readonly MadeUpNetwork[]): Promise<void> {
  const config = runConfigSchema.parse({
    data: "shapes",
    model: { name: "cnn4", width: 4 },
    lossModule: { width: 8 },
    training: { steps: 10, batch: 8 },
    budget: { initial: 100, perCycle: 100, cycles: 2 },
    strategies: [...new Set(networks.map(({ strategy }) => strategy))],
    engine: { lowerings: "fixed", threads: 1 },
  })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, runFiles.config), JSON.stringify(config))
  keepNetworkData(folder, { imageShape, classNames, normalization: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] } })
  const cycles = networks.flatMap(({ strategy, trial, accuracy }): CycleRecord[] => [
    cycleRecord({ strategy, trial, cycle: 1, labels: 100, accuracy: 0.99 }),
    cycleRecord({ strategy, trial, cycle: 2, labels: 200, accuracy }),
  ])
  writeFileSync(join(folder, runFiles.cycles), cycles.map((record) => `${JSON.stringify(record)}\n`).join(""))
  const { model } = await openModel(config, { imageShape, classes: classNames.length })
  for (const { strategy, trial } of networks) {
    const task = classification(classNames)
    const learner = { model, task, imageShape, strategyTraining: strategyTraining(strategy, config), config }
    const parameters = initializeParameters(buildTraining(learner, 8).network.specs, createRng(`${strategy} ${trial}`))
    saveCheckpoint(join(folder, runFiles.checkpoints, `${strategy}-trial${trial}`), {
      state: { parameters, optimizer: new Map() },
      meta: { cycle: 2, step: 10, steps: 10 },
    })
  }
}

/** Writes images of one colour each: `0.png`, `1.png`, ... */
export async function writeImages(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < count; index++) {
    const background = { r: 40 * index, g: 200 - 30 * index, b: 90 }
    await sharp({ create: { width: 30, height: 20, channels: 3, background } })
      .png()
      .toFile(join(folder, `${index}.png`))
  }
}
