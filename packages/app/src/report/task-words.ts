import type { RunConfig, TaskName } from "@learnloss/contract"
import { shownScore, sureJointScore } from "./shown-score.ts"

/** How a report speaks of a task's data. */
export interface TaskWords {
  /** What a label is given to. */
  readonly samples: "images" | "people"
  /** What is counted by class. */
  readonly marked: "images" | "objects" | "joints"
  /** What a network tells apart. */
  readonly part: "class" | "joint"
  /** Over the chart of how often each of them was labelled. */
  readonly counts: string
  /** Why the curve over what was marked says more than that over samples. */
  readonly effort: string
  /** Over pictures of what networks found, and what of it they show. */
  readonly foundHeading: string
  readonly foundNote: string
  /** Settings of the random changes of training pictures that are this task's own; all tasks flip. */
  readonly changes: readonly (keyof RunConfig["augment"])[]
  /** These changes in words. */
  augmentations(augment: RunConfig["augment"]): readonly string[]
  /** Settings of this task alone; empty where it has none that count. */
  settings(config: RunConfig): string
}

/** The words of every task. */
export const taskWords = {
  classification: {
    samples: "images",
    marked: "images",
    part: "class",
    counts: "Labelled images of each class",
    effort: "",
    foundHeading: "",
    foundNote: "",
    changes: ["crop"],
    augmentations: ({ crop }) => (crop > 0 ? [`crop with padding ${crop}`] : []),
    settings: () => "",
  },
  detection: {
    samples: "images",
    marked: "objects",
    part: "class",
    counts: "Labelled objects of each class",
    effort: "Images with many objects take longer to label: a strategy that picks them stands further to the right.",
    foundHeading: "Detections on test images",
    foundNote: `with a score of at least ${shownScore}`,
    changes: ["photometric", "expand", "iouCrop"],
    augmentations: ({ photometric, expand, iouCrop }) => [
      ...(photometric ? ["photometric changes"] : []),
      ...(expand ? ["expansion"] : []),
      ...(iouCrop ? ["crops around objects"] : []),
    ],
    settings: ({ detection }) =>
      `an image's loss is divided by ${{ positives: "its matched default boxes", nothing: "nothing" }[detection.lossDivisor]}`,
  },
  pose: {
    samples: "people",
    marked: "joints",
    part: "joint",
    counts: "How often each joint was labelled",
    effort: "People who are seen whole take longer to label: a strategy that picks them stands further to the right.",
    foundHeading: "Poses on test images",
    foundNote: `where the heat-maps are highest. Hollow joints: hidden at the left, a score below ${sureJointScore} at the right`,
    changes: ["scale", "rotation", "rotationShare", "colour"],
    augmentations: ({ scale, rotation, rotationShare, colour }) => [
      ...(scale > 0 ? [`up to ${percent(scale)} larger or smaller`] : []),
      ...(rotation > 0 && rotationShare > 0
        ? [`turned by up to ${2 * rotation} degrees (${percent(rotationShare)} of the time)`]
        : []),
      ...(colour > 0 ? [`colours times ${1 - colour} to ${1 + colour}`] : []),
    ],
    settings: ({ pose }) =>
      [
        `a person's loss is divided by ${{ joints: "the labelled joints", nothing: "nothing" }[pose.lossDivisor]}`,
        pose.flipTest ? "joints are found in each test picture and its mirror image" : "test pictures are seen once",
      ].join("; "),
  },
} as const satisfies Record<TaskName, TaskWords>

/** The words of the task that some runs share. */
export function wordsOf(runs: readonly { readonly config: Pick<RunConfig, "task"> }[]): TaskWords {
  return taskWords[runs[0]?.config.task ?? "classification"]
}

/** A word as it starts a heading. */
export function capitalised(word: string): string {
  return `${word[0]?.toUpperCase() ?? ""}${word.slice(1)}`
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`
}
