/** @file Seconds of measuring the detections of a large test set. */
import { createRng } from "@learnloss/engine"
import { evaluateDetections } from "@learnloss/learn"

const [width, height] = [500, 375]

/** @returns {Promise<number[]>} seconds of PASCAL VOC's and COCO's figures together, after one more to warm up */
export async function metricsSeconds({ images, detections, classes }, repetitions) {
  const { predictions, targets } = randomTestSet(images, detections, classes)
  const classNames = Array.from({ length: classes }, (_, index) => `class ${index}`)
  const seconds = Array.from({ length: repetitions + 1 }, () => {
    const start = performance.now()
    evaluateDetections(predictions, targets, classNames)
    return (performance.now() - start) / 1000
  })
  return seconds.slice(1)
}

/** Up to six objects an image as in PASCAL VOC; a third of the detections lies about them, the others anywhere. */
function randomTestSet(images, detections, classes) {
  const rng = createRng("detection metrics")
  const anywhere = () => {
    const [x, y] = [rng.float() * 0.8, rng.float() * 0.8]
    return [x, y, x + 0.02 + rng.float() * 0.3, y + 0.02 + rng.float() * 0.3]
  }
  const nearBy = ([x1, y1, x2, y2]) => {
    const [dx, dy] = [(rng.float() - 0.5) * 0.06, (rng.float() - 0.5) * 0.06]
    return [x1 + dx, y1 + dy, x2 + dx, y2 + dy]
  }
  const predictions = []
  const targets = []
  for (let image = 0; image < images; image++) {
    const objects = Array.from({ length: 1 + rng.integer(6) }, () => ({
      classIndex: rng.integer(classes),
      box: anywhere(),
      isDifficult: rng.integer(8) === 0,
    }))
    predictions.push(
      Array.from({ length: detections }, (_, index) => {
        if (3 * index >= detections)
          return { classIndex: rng.integer(classes), score: rng.float() / 2, box: anywhere() }
        const { classIndex, box } = objects[index % objects.length]
        return { classIndex, score: rng.float(), box: nearBy(box) }
      }),
    )
    const boxes = objects.map(({ box: [x1, y1, x2, y2], ...object }) => ({
      ...object,
      box: [x1 * width, y1 * height, x2 * width, y2 * height],
    }))
    targets.push({ width, height, boxes })
  }
  return { predictions, targets }
}
