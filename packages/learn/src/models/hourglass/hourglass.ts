import {
  batchNorm,
  conv2d,
  doubled,
  halved,
  LearnlossError,
  type NetworkBuilder,
  op,
  pooled,
  uniformByFanIn,
  type Value,
} from "@learnloss/engine"
import type { ImageShape } from "../../data/dataset.ts"
import type { Model, ModelOptions } from "../model.ts"

/** How often an hourglass halves its maps before it doubles them again. */
const depth = 4

/** By how much the stem makes images smaller. */
const stemStride = 4

/** Images have a multiple of this side, so that maps can be halved each time. */
const sideStep = stemStride * 2 ** depth

/** Residual blocks at each place of an hourglass. */
interface Blocks {
  readonly channels: number
  readonly count: number
}

function normalized(b: NetworkBuilder, name: string, x: Value): Value {
  return op.relu(batchNorm(b.scope(name), x))
}

/**
 * A residual block that normalises before it convolves (He et al. 2016, identity mappings): 1x1, 3x3 and 1x1, the first two
 * with half of the channels; the shortcut is a 1x1 convolution where the number of channels changes.
 */
function bottleneck(b: NetworkBuilder, x: Value, channels: number): Value {
  const narrow = conv2d(b.scope("conv1"), normalized(b, "bn1", x), { channels: channels / 2, kernel: 1 })
  const inner = normalized(b, "bn2", narrow)
  const filtered = conv2d(b.scope("conv2"), inner, { channels: channels / 2, kernel: 3, padding: 1 })
  const residual = conv2d(b.scope("conv3"), normalized(b, "bn3", filtered), { channels, kernel: 1 })
  const isSame = x.shape[1] === channels
  return op.add(residual, isSame ? x : conv2d(b.scope("downsample.0"), x, { channels, kernel: 1 }))
}

function residuals(b: NetworkBuilder, x: Value, { channels, count }: Blocks): Value {
  return Array.from({ length: count }).reduce<Value>(
    (value, _, index) => bottleneck(b.scope(String(index)), value, channels),
    x,
  )
}

/** One level of an hourglass and all below it; `inner` collects what each level hands up, coarsest first. */
function hourglassLevel(b: NetworkBuilder, level: number, x: Value, blocks: Blocks, inner: Value[]): Value {
  const place = (part: number, input: Value) => residuals(b.scope(`${level}.${part}`), input, blocks)
  const shortcut = place(0, x)
  const entered = place(1, halved(x))
  const below = level > 0 ? hourglassLevel(b, level - 1, entered, blocks, inner) : place(3, entered)
  const left = place(2, below)
  inner.push(left)
  return op.add(shortcut, doubled(b, left))
}

/** To maps of a quarter of the images' side: channels w, 2w, then 4w. */
function stem(b: NetworkBuilder, images: Value, width: number): Value {
  const convolved = conv2d(b.scope("conv1"), images, { channels: width, kernel: 7, stride: 2, padding: 3 })
  const layer = (name: string, x: Value, channels: number) => residuals(b.scope(name), x, { channels, count: 1 })
  const early = halved(layer("layer1", normalized(b, "bn1", convolved), 2 * width))
  return layer("layer3", layer("layer2", early, 4 * width), 4 * width)
}

/**
 * A stacked hourglass (Newell et al. 2016), its parameters named as in pytorch-pose: each stack gives a heat-map of every joint
 * at a quarter of the images' side, and all but the last hand theirs to the next one. Width 64 makes maps of 256 channels.
 *
 * Taps are the last map of each stack, which its scores are made of, and with `innerTaps` also what the last stack hands from
 * level to level, coarsest first. No convolution but that of the scores has a bias: the next normalisation would take it away.
 *
 * @throws LearnlossError `MODEL_IMAGE_SIZE`
 */
export function hourglass({ width, classes, imageShape, hourglass: settings }: ModelOptions): Model {
  requireSquare(imageShape)
  const { stacks, blocks: count, innerTaps } = settings ?? { stacks: 2, blocks: 1, innerTaps: false }
  const channels = 4 * width
  const blocks = { channels, count }
  const side = imageShape.width / stemStride
  return {
    heatmaps: { stacks, joints: classes, height: side, width: side },
    build(b, [images]) {
      let x = stem(b, images, width)
      const [scores, taps]: [Value[], Value[]] = [[], []]
      let inner: Value[] = []
      for (let stack = 0; stack < stacks; stack++) {
        const convolved = (name: string, input: Value, outputs = channels) =>
          conv2d(b.scope(`${name}.${stack}`), input, { channels: outputs, kernel: 1 })
        inner = []
        const found = hourglassLevel(b.scope(`hg.${stack}.hg`), depth - 1, x, blocks, inner)
        const gathered = residuals(b.scope(`res.${stack}`), found, blocks)
        const last = normalized(b, `fc.${stack}.1`, conv2d(b.scope(`fc.${stack}.0`), gathered, { channels, kernel: 1 }))
        const score = conv2d(b.scope(`score.${stack}`), last, {
          channels: classes,
          kernel: 1,
          bias: uniformByFanIn(channels),
        })
        scores.push(op.reshape(score, [images.shape[0] as number, 1, classes, side, side]))
        taps.push(last)
        if (stack < stacks - 1) x = op.add(op.add(x, convolved("fc_", last)), convolved("score_", score))
      }
      const embedding = pooled(taps.at(-1) as Value)
      return { output: op.concat(scores, 1), taps: innerTaps ? [...taps, ...inner] : taps, embedding }
    },
  }
}

/** The paper's stacked hourglass: two stacks of one residual block a place. */
export function hourglass2({ hourglass: settings, ...options }: ModelOptions): Model {
  return hourglass({ ...options, hourglass: { stacks: 2, blocks: 1, innerTaps: settings?.innerTaps ?? false } })
}

function requireSquare({ width, height }: ImageShape): void {
  if (width === height && width % sideStep === 0) return
  throw new LearnlossError("MODEL_IMAGE_SIZE", {
    where: "model hourglass",
    expected: `square images whose side is a multiple of ${sideStep} pixels`,
    got: `${width}x${height}`,
    fix: "Have the images prepared in such a size, e.g. by imageSize: 128.",
  })
}
