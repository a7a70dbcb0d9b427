import sharp from "sharp"
import type { Picture } from "../dataset.ts"

/**
 * Brings a picture to a size, each axis by its own ratio, with a triangle filter that widens when it shrinks, like the
 * antialiased bilinear resize of Pillow and torchvision. What lies at x comes to x * width / picture.width.
 *
 * sharp only shrinks here: pictures that it enlarges come out half a pixel too far right and down (seen in 0.35.5), and
 * their boxes would no longer fit.
 *
 * @returns [height, width, 3] uint8; the picture's own pixels where the size fits
 */
export async function resizePicture(picture: Picture, width: number, height: number): Promise<Uint8Array> {
  const shrunk = await shrink(picture, Math.min(width, picture.width), Math.min(height, picture.height))
  return shrunk.width === width && shrunk.height === height ? shrunk.pixels : enlarge(shrunk, width, height)
}

async function shrink(picture: Picture, width: number, height: number): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture
  const raw = { width: picture.width, height: picture.height, channels: 3 } as const
  const resized = sharp(picture.pixels, { raw }).resize(width, height, { fit: "fill", kernel: "linear" })
  return { width, height, pixels: await resized.raw().toBuffer() }
}

function enlarge(picture: Picture, width: number, height: number): Uint8Array {
  const across = neighbours(picture.width, width)
  const down = neighbours(picture.height, height)
  const [rowLength, length] = [picture.width * 3, width * 3]
  const wide = new Float32Array(picture.height * length) // [picture.height, width, 3]
  for (let row = 0; row < picture.height; row++) {
    for (let column = 0, out = row * length; column < width; column++, out += 3) {
      const a = row * rowLength + (across.first[column] as number) * 3
      const b = row * rowLength + (across.second[column] as number) * 3
      const share = across.share[column] as number
      for (let channel = 0; channel < 3; channel++) {
        const value = picture.pixels[a + channel] as number
        wide[out + channel] = value + share * ((picture.pixels[b + channel] as number) - value)
      }
    }
  }
  const pixels = new Uint8Array(height * length)
  for (let row = 0, out = 0; row < height; row++) {
    const a = (down.first[row] as number) * length
    const b = (down.second[row] as number) * length
    const share = down.share[row] as number
    for (let index = 0; index < length; index++, out++) {
      const value = wide[a + index] as number
      pixels[out] = value + share * ((wide[b + index] as number) - value) + 0.5
    }
  }
  return pixels
}

/** The two inputs that each output lies between, and the share of the second; at the edges both are the outermost. */
function neighbours(from: number, to: number) {
  const first = new Int32Array(to)
  const second = new Int32Array(to)
  const share = new Float64Array(to)
  for (let place = 0; place < to; place++) {
    // Pixel i stands for its middle, i + 0.5.
    const centre = Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1)
    first[place] = Math.floor(centre)
    second[place] = Math.min(Math.floor(centre) + 1, from - 1)
    share[place] = centre - Math.floor(centre)
  }
  return { first, second, share }
}
