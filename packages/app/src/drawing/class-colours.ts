/**
 * Colours that are told apart on photographs, in the order in which classes get them: neighbours differ in lightness
 * too, so that colour-blind people tell them apart as well.
 */
const strong = [
  "#ffd60a",
  "#0a84ff",
  "#ff453a",
  "#30d158",
  "#bf5af2",
  "#ff9f0a",
  "#64d2ff",
  "#a2142f",
  "#b7f03c",
  "#ff6bd6",
  "#008080",
  "#ffc9a8",
  "#3d3ad6",
  "#8d6e3f",
  "#9ff5d0",
  "#7a7f00",
  "#e2c6ff",
  "#00592b",
  "#d2691e",
  "#5b7083",
] as const

/** Degrees that part neighbours on the colour wheel most evenly, however many there are. */
const goldenAngle = 137.508

/** The colour of a class in every picture, as `#rrggbb`. */
export function classColour(classIndex: number): string {
  return strong[classIndex] ?? wheelColour(classIndex)
}

function wheelColour(index: number): string {
  const lightness = [0.65, 0.4, 0.8][index % 3] as number
  const reach = 0.85 * Math.min(lightness, 1 - lightness)
  const channels = [0, 8, 4].map((offset) => {
    const place = (offset + (index * goldenAngle) / 30) % 12
    return lightness - reach * Math.max(-1, Math.min(place - 3, 9 - place, 1))
  })
  return `#${channels
    .map((value) =>
      Math.round(value * 255)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#000000" : "#ffffff"
}
