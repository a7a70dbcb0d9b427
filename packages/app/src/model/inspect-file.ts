import { inspectOnnxModel, LearnlossError, type ModelInspection, readOnnxModel } from "@learnloss/engine"

/**
 * Looks into an ONNX file.
 *
 * @param inputSize height and width of images, for files that leave them open
 * @throws LearnlossError `INPUT_SIZE` for anything but two whole numbers, and what reading and probing throw
 */
export async function inspectFile(path: string, inputSize: readonly number[] | undefined): Promise<ModelInspection> {
  const model = readOnnxModel(path)
  if (inputSize === undefined) return inspectOnnxModel(model)
  const [height = 0, width = 0] = inputSize
  if (inputSize.length !== 2 || !inputSize.every((length) => Number.isInteger(length) && length > 0)) {
    throw new LearnlossError("INPUT_SIZE", {
      where: "--input-size",
      expected: "height and width in pixels, such as 224,224",
      got: inputSize.join(","),
    })
  }
  const inputShapes = Object.fromEntries(
    model.inputs.map(({ name, shape }) => {
      const isChannelsLast = shape?.[3] === 3 || shape?.[3] === 1
      return [
        name,
        isChannelsLast ? [2, height, width, shape[3] as number] : [2, Number(shape?.[1]) || 3, height, width],
      ]
    }),
  )
  return inspectOnnxModel(model, { inputShapes })
}
