import type { Box } from "../../boxes.ts"
import type { AnnotatedObject } from "../annotated-set.ts"
import { ObjectDefect } from "../defects.ts"
import { type JointShape, readYoloJointNumbers, yoloJointNumbers } from "./yolo-joints.ts"

/** Width and height of the image whose lines are read, in pixels. */
interface Size {
  readonly width: number
  readonly height: number
}

/**
 * What a line says: a class and a box (centre and size as parts of the image), with a score or joints after it, or
 * a class and the corners of a polygon, whose box is taken.
 *
 * @param shape what numbers of joints follow a box, null when there are none
 * @throws ObjectDefect that says what is wrong
 */
export function readYoloLine(
  line: string,
  size: Size,
  classNames: readonly string[],
  shape: JointShape | null,
): AnnotatedObject {
  const fields = line.trim().split(/\s+/)
  const [index = "", ...texts] = fields
  const className = /^\d+$/.test(index) ? classNames[Number(index)] : undefined
  if (className === undefined)
    throw new ObjectDefect(
      "unknown-class",
      `class ${JSON.stringify(index)} is none of the ${classNames.length} classes`,
    )
  const numbers = texts.map((text) => (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN))
  const wrong = numbers.findIndex((number) => !Number.isFinite(number))
  if (wrong >= 0)
    throw new ObjectDefect("bad-coordinates", `${JSON.stringify(texts[wrong]?.slice(0, 40))} is no number`)
  const carried = { format: "yolo", fields } as const
  if (numbers.length === 4 || numbers.length === 5) return { className, box: boxOf(numbers, size), carried }
  if (shape !== null) {
    const wanted = shape.joints * shape.numbers
    if (numbers.length !== 4 + wanted)
      throw new ObjectDefect("wrong-joint-count", `${numbers.length - 4} numbers after the box, not ${wanted}`)
    return {
      className,
      box: boxOf(numbers, size),
      joints: readYoloJointNumbers(numbers.slice(4), shape, size),
      carried,
    }
  }
  if (numbers.length < 6 || numbers.length % 2 === 1)
    throw new ObjectDefect("unreadable-object", `${fields.length} numbers, neither a box nor a polygon`)
  const polygon = numbers.map((value, place) => value * (place % 2 === 0 ? size.width : size.height))
  return { className, box: around(polygon), segmentation: [polygon], carried }
}

/** The line that says this: the one that was read, changed where the object was. */
export function writeYoloLine(
  object: AnnotatedObject,
  size: Size,
  classNames: readonly string[],
  shape: JointShape | null,
): string {
  const index = String(classNames.indexOf(object.className))
  const { carried } = object
  if (carried?.format === "yolo") {
    const was = readYoloLine(["0", ...carried.fields.slice(1)].join(" "), size, classNames, shape)
    const isSame = JSON.stringify([was.box, was.joints]) === JSON.stringify([object.box, object.joints])
    if (isSame) return [index, ...carried.fields.slice(1)].join(" ")
  }
  const [x1, y1, x2, y2] = object.box
  const { width, height } = size
  const numbers = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
  if (shape !== null) numbers.push(...yoloJointNumbers(object.joints ?? [], shape, size))
  return [index, ...numbers.map((number) => String(Number(number.toPrecision(15))))].join(" ")
}

function boxOf([x = 0, y = 0, w = 0, h = 0]: readonly number[], { width, height }: Size): Box {
  return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
}

function around(polygon: readonly number[]): Box {
  const xs = polygon.filter((_, place) => place % 2 === 0)
  const ys = polygon.filter((_, place) => place % 2 === 1)
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
