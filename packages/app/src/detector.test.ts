import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { timingFields } from "@learnloss/contract"
import { afterAll, expect, test } from "vitest"
import { runMain } from "./run-main.test-suite.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-detector-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const settings = (out: string, ...changes: string[]) => [
  ...["run", "shapes-detection-cpu", "--out", out, "--strategies", "random,learning-loss-outputs"],
  ...[
    "data=shapes-detection:60,20",
    "imageSize=96",
    "model.width=8",
    "augment.expand=true",
    "augment.iouCrop=true",
    "training.steps=6",
    "training.batch=4",
    "training.checkpointSeconds=0",
    "budget={initial: 12, perCycle: 8, cycles: 2}",
    "engine={threads: 1, lowerings: fixed}",
    ...changes,
  ].flatMap((change) => ["--set", change]),
]

/** Records of a run without the seconds that they took. */
function recordsOf(folder: string): unknown[] {
  const lines = ["cycles.jsonl", "selections.jsonl", "predictions.jsonl"].flatMap((name) =>
    readFileSync(join(folder, name), "utf8").trimEnd().split("\n"),
  )
  const untimed = new Set<string>(timingFields)
  return lines.map((line) =>
    Object.fromEntries(Object.entries(JSON.parse(line)).filter(([name]) => !untimed.has(name))),
  )
}

test("a detector is taught in cycles, goes on after Ctrl-C to the same bits, and predicts", {
  timeout: 120_000,
}, async () => {
  const [straight, broken] = [join(root, "straight"), join(root, "broken")]
  expect(await runMain(settings(straight))).toMatchObject({ code: 0 })

  const abort = new AbortController()
  // The head of the table comes with the first finished cycle.
  const stopInSecondCycle = (text: string) => {
    if (text.includes("mAP@0.5")) abort.abort()
  }
  const interrupted = await runMain(settings(broken), { signal: abort.signal, onSaid: stopInSecondCycle })
  expect(interrupted).toMatchObject({ code: 130 })
  expect(await runMain(["resume", broken])).toMatchObject({ code: 0 })
  expect(recordsOf(broken)).toEqual(recordsOf(straight))

  const records = recordsOf(straight) as { metrics?: { mAP: number }; labeledObjects?: number }[]
  const cycles = records.filter(({ metrics }) => metrics !== undefined)
  expect(cycles).toHaveLength(4)
  for (const { metrics, labeledObjects } of cycles) {
    expect(metrics?.mAP).toBeGreaterThanOrEqual(0)
    expect(labeledObjects).toBeGreaterThan(12)
  }
  const report = readFileSync(join(straight, "report.html"), "utf8")
  for (const words of ["mAP@0.5", "Average precision of each class", "Detections on test images"]) {
    expect(report).toContain(words)
  }
  expect(readdirSync(join(straight, "picked"))).toHaveLength(2)

  const file = join(root, "detector.onnx")
  expect(await runMain(["export", straight, "--strategy", "random", "--out", file])).toMatchObject({ code: 0 })
  const shown = join(root, "shown.png")
  const data = ["data", "show", "shapes-detection:60,20", "--image-size", "96", "-n", "4", "--augment", "--out", shown]
  expect(await runMain(data)).toMatchObject({ code: 0 })
  const predicted = await runMain(["predict", file, shown, "--threshold", "0", "--json", "--draw", join(root, "drawn")])
  expect(predicted.code).toBe(0)
  expect(existsSync(join(root, "drawn", "shown.png"))).toBe(true)
  const [{ predictions: detections }] = JSON.parse(predicted.stdout).images
  expect(detections.length).toBeGreaterThan(0)
  for (const { box } of detections) expect(box.every((corner: number) => corner >= 0 && corner <= 2000)).toBe(true)
})
