import type { Box } from "../boxes.ts"
import type { AnnotatedImage, AnnotatedObject } from "./annotated-set.ts"
import type { DefectLog } from "./defects.ts"

/** Formats round to so many pixels (YOLO writes six digits of the side), and so much is cut off without a word. */
const rounding = 0.01

/**
 * The objects of an image that training and measuring take, their boxes inside the image. Boxes without area or outside the
 * image, and unknown classes are left out, boxes that stick out are clipped, crowds stay; each is told to the log.
 */
export function usableObjects(image: AnnotatedImage, classNames: readonly string[], log: DefectLog): AnnotatedObject[] {
  const usable: AnnotatedObject[] = []
  const file = image.annotation ?? image.id
  for (const [index, object] of image.objects.entries()) {
    const name = `${object.place ?? `object ${index + 1}`} (${object.className})`
    if (!classNames.includes(object.className)) {
      log.add("unknown-class", "box", file, `${name}: a class that is not among ${nameSome(classNames)}`)
      continue
    }
    const box = checkBox(object.box, image, (kind, cost, reason) => log.add(kind, cost, file, `${name}: ${reason}`))
    if (box === undefined) continue
    if (object.isCrowd === true) log.add("crowd", "noted", file, `${name}: a crowd, which is not trained on`)
    usable.push({ ...object, box })
  }
  return usable
}

type Tell = (kind: "zero-area" | "outside-image" | "partly-outside", cost: "box" | "clipped", reason: string) => void

/**
 * The part of a box that lies in the image; undefined where none does.
 *
 * @param tell is told what is wrong with it
 */
export function checkBox(box: Box, { width, height }: { width: number; height: number }, tell: Tell): Box | undefined {
  const [x1, y1, x2, y2] = box
  const shown = `[${box.map((value) => Number(value.toFixed(3))).join(", ")}]`
  if (x2 <= x1 || y2 <= y1) {
    const what = x2 < x1 || y2 < y1 ? "corners in the wrong order" : "zero area"
    tell("zero-area", "box", `${what} ${shown}`)
    return undefined
  }
  const clipped: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)]
  if (clipped[2] <= clipped[0] || clipped[3] <= clipped[1]) {
    tell("outside-image", "box", `box ${shown} outside the image of ${width}x${height}`)
    return undefined
  }
  const overhang = Math.max(...box.map((value, side) => Math.abs(value - (clipped[side] as number))))
  if (overhang > rounding)
    tell("partly-outside", "clipped", `box ${shown} sticks out of the image of ${width}x${height}`)
  return clipped
}

function nameSome(names: readonly string[]): string {
  return names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${names.length - 8} more`
}

/** A number of pixels without the noise that computing it left in its last digits. */
export function tidy(pixels: number): number {
  return Number(pixels.toFixed(9))
}
