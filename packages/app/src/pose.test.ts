import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { timingFields } from "@learnloss/contract"
import { afterAll, expect, test } from "vitest"
import { runMain } from "./run-main.test-suite.ts"

const root = mkdtempSync(join(tmpdir(), "learnloss-pose-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const settings = (out: string) => [
  ...["run", "figures-cpu", "--out", out, "--strategies", "random,learning-loss-outputs"],
  ...[
    "data=figures:40,16",
    "imageSize=64",
    "model.width=4",
    "training.steps=4",
    "training.batch=4",
    "training.checkpointSeconds=0",
    "lossModule.pairs=all",
    "lossModule.memory=8",
    "budget={initial: 12, perCycle: 8, cycles: 2}",
    "engine={threads: 1, lowerings: fixed}",
  ].flatMap((change) => ["--set", change]),
]

/** Records of a run without the seconds that they took. */
function recordsOf(folder: string): Record<string, unknown>[] {
  const lines = ["cycles.jsonl", "selections.jsonl", "predictions.jsonl"].flatMap((name) =>
    readFileSync(join(folder, name), "utf8").trimEnd().split("\n"),
  )
  const untimed = new Set<string>(timingFields)
  return lines.map((line) =>
    Object.fromEntries(Object.entries(JSON.parse(line)).filter(([name]) => !untimed.has(name))),
  )
}

test("poses are taught in cycles, go on after Ctrl-C to the same bits, and are predicted", {
  timeout: 120_000,
}, async () => {
  const [straight, broken] = [join(root, "straight"), join(root, "broken")]
  expect(await runMain(settings(straight))).toMatchObject({ code: 0 })

  const abort = new AbortController()
  // The head of the table comes with the first finished cycle.
  const stopInSecondCycle = (text: string) => {
    if (text.includes("PCKh@0.5")) abort.abort()
  }
  const interrupted = await runMain(settings(broken), { signal: abort.signal, onSaid: stopInSecondCycle })
  expect(interrupted).toMatchObject({ code: 130 })
  expect(await runMain(["resume", broken])).toMatchObject({ code: 0 })
  expect(recordsOf(broken)).toEqual(recordsOf(straight))

  const cycles = recordsOf(straight).filter(({ metrics }) => metrics !== undefined)
  expect(cycles).toHaveLength(4)
  for (const { metrics, labeledObjects, labelsPerClass } of cycles) {
    const { PCKh, PCK } = metrics as Record<string, number>
    for (const share of [PCKh, PCK]) expect(share).toBeGreaterThanOrEqual(0)
    expect(labeledObjects).toBeGreaterThan(100)
    expect(labelsPerClass).toHaveLength(14)
  }
  const report = readFileSync(join(straight, "report.html"), "utf8")
  const words = [
    "PCKh@0.5",
    "Poses on test images",
    "labelled people",
    "How often each joint was labelled",
    "left_ankle",
  ]
  for (const said of words) expect(report).toContain(said)
  expect(readdirSync(join(straight, "picked"))).toHaveLength(2)
  expect(readdirSync(join(straight, "found"))).toHaveLength(2)

  const file = join(root, "pose.onnx")
  const exporting = ["export", straight, "--strategy", "learning-loss-outputs", "--out", file]
  expect(await runMain(exporting)).toMatchObject({ code: 0 })
  const shown = join(root, "shown.png")
  const data = ["data", "show", "figures:40,16", "--task", "pose", "--image-size", "64", "-n", "4", "--out", shown]
  expect(await runMain(data)).toMatchObject({ code: 0 })
  const people = join(root, "people.json")
  writeFileSync(
    people,
    JSON.stringify([
      { image_id: "shown", bbox: [10, 10, 100, 150] },
      { image_id: "shown", bbox: [200, 20, 60, 60] },
      { image_id: "shown", bbox: [9000, 0, 10, 10] },
      { image_id: "shown", bbox: [0, 0, 10, 10], score: 0.2 },
    ]),
  )
  const asked = ["predict", file, shown, "--people", people]
  const predicted = await runMain([...asked, "--json", "--draw", join(root, "drawn")])
  expect(predicted).toMatchObject({ code: 0 })
  expect(readdirSync(join(root, "drawn"))).toEqual(["shown.png"])
  const [{ predictions, width, height }] = JSON.parse(predicted.stdout).images
  expect(predictions).toMatchObject([{ crop: { center: [60, 85], side: 187.5 } }, { crop: { side: 75 } }])
  for (const { joints, predictedLoss } of predictions) {
    expect(joints).toHaveLength(14)
    expect(predictedLoss).toBeTypeOf("number")
  }
  // A run's network and its file are the same to `predict`.
  const ofRun = await runMain([...asked.with(1, straight), "--strategy", "learning-loss-outputs", "--json"])
  expect(JSON.parse(ofRun.stdout).images).toEqual(JSON.parse(predicted.stdout).images)

  // Images that the file of people does not name are left out of all that is written.
  const other = join(root, "other.png")
  copyFileSync(shown, other)
  const [joints, drawn] = [join(root, "joints.json"), join(root, "drawn-named")]
  const writing = ["--people", people, "--format", "coco", "--out", joints, "--draw", drawn]
  const some = await runMain(["predict", file, other, shown, ...writing])
  expect(some).toMatchObject({ code: 0, stdout: `${joints}: predictions of 1 image\n` })
  expect(some.stderr).toContain(`1 of 2 images are not in ${people}: left out\n`)
  expect(some.stderr).toMatch(
    /shown\.png: the box \[9000, 0, 9010, 10\] \(annotation 2 of image shown\) lies outside it/,
  )
  expect(some.stderr).toContain("1 box with a score below 0.3 left out (--people-threshold)\n")
  const written = JSON.parse(readFileSync(joints, "utf8"))
  expect([written.images.length, written.annotations.length, readdirSync(drawn)]).toEqual([1, 2, ["shown.png"]])
  const none = await runMain(["predict", file, other, "--people", people])
  expect(none).toMatchObject({ code: 2, stdout: "" })
  expect(none.stderr).toMatch(
    /expected a file that names some of the images, got none of 1 image, the first .*other\.png/,
  )

  const whole = await runMain(["predict", file, shown, "--format", "coco"])
  const [annotation] = JSON.parse(whole.stdout).annotations
  expect(annotation).toMatchObject({ image_id: 1, category_id: 1, bbox: [0, 0, width, height] })
  expect(annotation.keypoints).toHaveLength(3 * 14)
})
