import type { RunConfig } from "@learnloss/contract"
import { LearnlossError, type Value } from "@learnloss/engine"
import { isLabelled } from "../../data/annotations/joints.ts"
import type { PictureDataset } from "../../data/dataset.ts"
import { type PersonTarget, type Pose, placeInImage } from "../../data/people.ts"
import type { Heatmaps } from "../../models/model.ts"
import type { Task } from "../task.ts"
import { decodePose } from "./decode-pose.ts"
import { evaluatePoses, measuredJoints } from "./evaluate-poses.ts"
import { fileEnding } from "./file-ending.ts"
import { averageMirrored } from "./flip-test.ts"
import { heatmapLoss } from "./heatmap-loss.ts"
import { heatmapEntropy, heatmapUnconfidence, lastMaps, outputStatistics } from "./heatmap-signals.ts"
import { encodePeople, type PoseTargets, targetInputsOf } from "./targets.ts"

/**
 * The joints of one person in each crop, as heat-maps. Targets are measured in any image; predictions are in shares of the
 * crop, 0..1.
 */
export function pose(
  { classNames: names, skeleton }: Pick<PictureDataset<PersonTarget>, "classNames" | "skeleton">,
  heatmaps: Heatmaps,
  { lossDivisor, flipTest }: RunConfig["pose"],
): Task<PersonTarget, Pose> {
  const pairs = skeleton?.pairs ?? []
  const labelledIn = ({ joints }: PersonTarget) => joints.filter(isLabelled).length
  return {
    name: "pose",
    targetInputs: targetInputsOf(names.length),
    encodeTargets: (people) => ({ ...encodePeople(people, names.length) }),
    perSampleLoss: (output, { joints, weights }) =>
      heatmapLoss(output, { joints, weights } as PoseTargets<Value>, lossDivisor),
    outputStatistics,
    uncertainty: heatmapEntropy,
    unconfidence: heatmapUnconfidence,
    predictionOutput: lastMaps,
    ...(flipTest &&
      pairs.length > 0 && { flipTest: (maps: Value, mirrored: Value) => averageMirrored(maps, mirrored, pairs) }),
    decode: (row) => decodePose(row, heatmaps),
    fileEnding,
    objectsToShow: (found, { crop }) => [
      { classIndex: 0, score: rounded(found.score, 4), box: cornersOf(crop), joints: found.joints.map(shown(crop)) },
    ],
    countClasses: (people) =>
      names.map((_, index) => people.filter(({ joints }) => isLabelled(joints[index] as Joint)).length),
    countObjects: (people) => people.reduce((sum, person) => sum + labelledIn(person), 0),
    requireMeasurable(people) {
      const measured = measuredJoints(names)
      const isMeasurable = ({ head, box, joints }: PersonTarget) =>
        (head !== null || box !== null) && joints.some((joint, index) => measured[index] === true && isLabelled(joint))
      if (people.some(isMeasurable)) return
      throw new LearnlossError("TEST_WITHOUT_OBJECTS", {
        where: "the test people",
        expected: "at least one with labelled joints and a box or head, to measure a network by",
        got: `none of ${people.length}`,
        fix: "Name another test split, or give the test people their joints and boxes.",
      })
    },
    evaluate: (found, people) => ({ ...evaluatePoses(found, people, names) }),
  }
}

type Joint = PersonTarget["joints"][number]
type Crop = PersonTarget["crop"]

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

function shown(crop: Crop) {
  return (joint: Pose["joints"][number]): [number, number, number] => {
    const { x, y } = placeInImage(joint, crop)
    return [rounded(x, 2), rounded(y, 2), rounded(joint.score, 4)]
  }
}

function cornersOf({ center: [x, y], side }: Crop): [number, number, number, number] {
  const half = side / 2
  return [rounded(x - half, 2), rounded(y - half, 2), rounded(x + half, 2), rounded(y + half, 2)]
}
