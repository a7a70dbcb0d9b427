import type { Box } from "../../boxes.ts"
import type { AnnotatedObject } from "../annotated-set.ts"
import { tidy } from "../check-objects.ts"
import { ObjectDefect } from "../defects.ts"
import type { BoxOrigin } from "../set-reader.ts"
import { branch, child, leaf, textOf, withChild, type XmlElement } from "../xml.ts"

const sides = ["xmin", "ymin", "xmax", "ymax"] as const

/**
 * What an `<object>` says.
 *
 * @throws ObjectDefect that says what is missing or no number
 */
export function readVocObject(element: XmlElement, origin: BoxOrigin): AnnotatedObject {
  const className = textOf(child(element, "name"))
  if (className === undefined || className === "") throw new ObjectDefect("unreadable-object", "no <name>")
  const pose = textOf(child(element, "pose"))
  return {
    className,
    box: readBox(child(element, "bndbox"), origin),
    ...flag("isDifficult", textOf(child(element, "difficult"))),
    ...flag("isTruncated", textOf(child(element, "truncated"))),
    ...flag("isOccluded", textOf(child(element, "occluded"))),
    ...(pose === undefined ? {} : { pose }),
    carried: { format: "voc", element },
  }
}

/** The `<object>` that says this: the one that was read with whatever else it held, changed where the object was. */
export function writeVocObject(object: AnnotatedObject, origin: BoxOrigin): XmlElement {
  const { carried } = object
  if (carried?.format !== "voc") return newObject(object, origin)
  const was = readVocObject(carried.element, origin)
  let element = carried.element
  if (object.className !== was.className) element = withChild(element, leaf("name", object.className))
  if (object.pose !== undefined && object.pose !== was.pose) element = withChild(element, leaf("pose", object.pose))
  for (const [key, name] of flags) {
    if (object[key] !== undefined && object[key] !== was[key]) element = withChild(element, flagLeaf(name, object[key]))
  }
  if (object.box.some((value, side) => value !== was.box[side])) {
    element = withChild(element, boxElement(object.box, origin))
  }
  return element
}

const flags = [
  ["isTruncated", "truncated"],
  ["isOccluded", "occluded"],
  ["isDifficult", "difficult"],
] as const

function newObject(object: AnnotatedObject, origin: BoxOrigin): XmlElement {
  return branch(
    "object",
    leaf("name", object.className),
    leaf("pose", object.pose ?? "Unspecified"),
    flagLeaf("truncated", object.isTruncated === true),
    ...(object.isOccluded === undefined ? [] : [flagLeaf("occluded", object.isOccluded)]),
    flagLeaf("difficult", object.isDifficult === true),
    boxElement(object.box, origin),
  )
}

function readBox(element: XmlElement | undefined, origin: BoxOrigin): Box {
  if (element === undefined) throw new ObjectDefect("unreadable-object", "no <bndbox>")
  const [x1, y1, x2, y2] = sides.map((side) => {
    const text = textOf(child(element, side))
    if (text === undefined) throw new ObjectDefect("unreadable-object", `no <${side}>`)
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) {
      throw new ObjectDefect("bad-coordinates", `<${side}> is ${JSON.stringify(text.slice(0, 40))} and no number`)
    }
    return Number(text)
  }) as [number, number, number, number]
  // The last pixel is part of the box, so its far corner, counted from 0, has the pixel's own number counted from 1.
  return origin === "one" ? [x1 - 1, y1 - 1, x2, y2] : [x1, y1, x2, y2]
}

function boxElement([x1, y1, x2, y2]: Box, origin: BoxOrigin): XmlElement {
  const numbers = origin === "one" ? [x1 + 1, y1 + 1, x2, y2] : [x1, y1, x2, y2]
  return branch("bndbox", ...sides.map((side, index) => leaf(side, tidy(numbers[index] as number))))
}

function flag(key: string, text: string | undefined): object {
  return text === undefined ? {} : { [key]: /^(1|true|yes)$/i.test(text) }
}

function flagLeaf(name: string, isSet: boolean): XmlElement {
  return leaf(name, isSet ? 1 : 0)
}
