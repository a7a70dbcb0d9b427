import { type Command, Option } from "commander"
import { formatCount, plural } from "../report/format.ts"
import { everyFewSeconds } from "./every-few-seconds.ts"
import type { CommandIo } from "./io.ts"

const examples = `
FROM and TO are voc:DIR, coco:DIR (or coco:FILE.json) and yolo:DIR, and FROM may be mpii:DIR, whose people get squares of
200 x scale as boxes, which a COCO reader clips where they leave their image; TO has to be new or empty. Joints go to COCO
and YOLO. PASCAL VOC's numbers are taken and written as they stand; ?origin=one says that they count pixels from 1, as the
original data do. Whatever the new format has no place for is told.

Examples:
  $ learnloss data convert voc:VOC2007 coco:voc-as-coco
  $ learnloss data convert "voc:VOC2007?origin=one" yolo:voc-as-yolo --images link
  $ learnloss data convert mpii:MPII coco:people-as-coco
`

/** Adds `learnloss data convert FROM TO`. */
export function addConvertCommand(data: Command, io: CommandIo): void {
  data
    .command("convert")
    .description("write images with boxes or people in another format: PASCAL VOC, COCO or YOLO")
    .argument("<FROM>", "what to read, e.g. voc:DIR")
    .argument("<TO>", "what to write, e.g. coco:NEW-DIR")
    .addOption(
      new Option("--images <HOW>", "how image files get there: copied, or as hard links, which take no room")
        .choices(["copy", "link"])
        .default("copy"),
    )
    .option("--json", "print one JSON object instead of text")
    .addHelpText("after", examples)
    .action(async (from: string, to: string, { images, json }: { images: "copy" | "link"; json?: boolean }) => {
      const { convertDataset } = await import("../data/convert-dataset.ts")
      const conversion = await convertDataset(from, to, {
        images,
        signal: io.signal,
        onProgress: everyFewSeconds((done, total) =>
          io.stderr(`${formatCount(done)} of ${formatCount(total)} images\n`),
        ),
      })
      if (json === true) {
        io.stdout(`${JSON.stringify(conversion, null, 2)}\n`)
        return
      }
      const { losses, defects } = conversion
      const lines = [
        `${to}: ${plural(conversion.images, "image")}, ${formatCount(conversion.boxes)} boxes of ${conversion.classes.length} classes from ${from}`,
        ...(losses.length === 0 ? ["nothing was lost"] : ["without:"]),
        ...losses.map(({ what, count }) => `  ${what} (${formatCount(count)})`),
        ...(defects.length === 0 ? [] : [`${plural(defects.length, "defect")} of what was read:`]),
        ...defects.map(({ file, reason }) => `  ${file}: ${reason}`),
      ]
      io.stdout(`${lines.join("\n")}\n`)
    })
}
