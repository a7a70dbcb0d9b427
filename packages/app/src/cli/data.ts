import type { TaskName } from "@learnloss/contract"
import type { DataDefect } from "@learnloss/learn"
import { type Command, Option } from "commander"
import type { FetchedDataset, FetchOptions } from "../data/fetch-dataset.ts"
import { formatCount } from "../report/format.ts"
import { addConvertCommand } from "./data-convert.ts"
import { addShowCommand } from "./data-show.ts"
import { everyFewSeconds } from "./every-few-seconds.ts"
import type { CommandIo } from "./io.ts"
import { parseSide } from "./parse-options.ts"

const examples = `
Data are named NAME or FORMAT:PATH, here and in settings files. Fetched data sets go to $LEARNLOSS_DATA, else to
~/.cache/learnloss.

Examples:
  $ learnloss data list
  $ learnloss data fetch fashion-mnist
  $ learnloss data check images:photos
  $ learnloss data check voc:VOC2007 --json
  $ learnloss data check coco:people --task pose
  $ learnloss data show voc:VOC2007 --augment
  $ learnloss data convert voc:VOC2007 coco:voc-as-coco
`

/** How a data set is fetched; tests put in one that needs no network. */
export type FetchDataset = (name: string, options: FetchOptions) => Promise<FetchedDataset>

/** Adds `learnloss data list | fetch NAME | check SPEC | show SPEC | convert FROM TO` to the command. */
export function addDataCommand(program: Command, io: CommandIo, fetch: FetchDataset = fetchFromSources): void {
  const data = program
    .command("data")
    .description("list, fetch, check, show and convert data sets")
    .helpCommand(false)
    .addHelpText("after", examples)

  data
    .command("list")
    .description("say which data there are and where")
    .option("--json", "print one JSON array instead of text")
    .action(async ({ json }: { json?: boolean }) => {
      const { formatCatalogue, listCatalogue } = await import("../data/list-catalogue.ts")
      const entries = listCatalogue()
      io.stdout(json === true ? `${JSON.stringify(entries, null, 2)}\n` : `${formatCatalogue(entries)}\n`)
    })

  data
    .command("fetch")
    .description("put a data set on this machine; goes on where it was broken off")
    .argument("<NAME>", "data set, see `learnloss data list`")
    .option("--json", "print one JSON object instead of text")
    .action(async (name: string, { json }: { json?: boolean }) => {
      const { createFetchProgress } = await import("./fetch-progress.ts")
      const progress = createFetchProgress(io)
      try {
        const fetched = await fetch(name, { signal: io.signal, onProgress: progress.show })
        const origin = fetched.source === null ? "was there already" : `fetched from ${fetched.source}`
        io.stdout(json === true ? `${JSON.stringify(fetched)}\n` : `${name}: ${origin}, in ${fetched.folder}\n`)
      } catch (error) {
        if (io.signal.aborted) io.stderr(`\nInterrupted; the same command goes on with what is there.\n`)
        throw error
      } finally {
        progress.close()
      }
    })

  data
    .command("check")
    .description("read data from end to end; count them and tell every defect")
    .argument("<SPEC>", "NAME or FORMAT:PATH")
    .option("--image-size <PIXELS>", "side that images of a folder are brought to", parseSide, 32)
    .addOption(
      new Option(
        "--task <TASK>",
        "what to count where there are boxes and joints (default: pose where objects have joints)",
      ).choices(pictureTasks),
    )
    .option("--quick", "images with boxes: read only the headers of the image files, which misses damaged ones")
    .option("--json", "print one JSON object instead of text")
    .action(async (spec: string, { imageSize, task, quick, json }: CheckCommandOptions) => {
      const { checkDataset, formatSummary } = await import("../data/check-dataset.ts")
      const defects: DataDefect[] = []
      const summary = await checkDataset(spec, {
        imageSize,
        task,
        decodes: quick !== true,
        signal: io.signal,
        onProgress: everyFewSeconds((done, total) =>
          io.stderr(`read ${formatCount(done)} of ${formatCount(total)} images\n`),
        ),
        onDefect: (defect) => defects.push(defect),
      }).catch((error: unknown) => {
        // Of data that can be used they are part of the result.
        for (const { file, reason } of defects) io.stderr(`${file}: ${reason}\n`)
        throw error
      })
      io.stdout(json === true ? `${JSON.stringify(summary, null, 2)}\n` : `${formatSummary(summary)}\n`)
    })

  addShowCommand(data, io)
  addConvertCommand(data, io)
}

/** Tasks that one and the same data can be for. */
const pictureTasks = ["detection", "pose"] as const satisfies readonly TaskName[]

interface CheckCommandOptions {
  readonly imageSize: number
  readonly task?: (typeof pictureTasks)[number]
  readonly quick?: boolean
  readonly json?: boolean
}

/** Loaded when it is wanted: reading images takes a moment to load, which other commands should not wait for. */
const fetchFromSources: FetchDataset = async (name, options) => {
  const { fetchDataset } = await import("../data/fetch-dataset.ts")
  return fetchDataset(name, options)
}
