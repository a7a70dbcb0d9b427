import { cast, greaterOrEqual, mul } from "../../../graph/build.ts"
import { sizeOf } from "../../../graph/tensor.ts"
import type { ImportRule } from "../rule.ts"

/**
 * Ops that do something else in training than afterwards. However a file was exported, they are put back into training
 * mode while training, and into inference mode otherwise.
 */
export const trainingModeRules = {
  /**
   * Running statistics move by `1 - momentum` of the batch's; the variance that PyTorch keeps is the unbiased one,
   * n / (n - 1) times the batch's (Ioffe & Szegedy 2015, algorithm 2).
   */
  BatchNormalization: {
    since: 9,
    gradient: true,
    build(c) {
      const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((position) => c.input(position))
      if (!x || !scale || !bias || !mean || !variance) return c.fail("five inputs", `${c.inputCount}`)
      const training = c.b.isTraining && !c.isNormFrozen
      const epsilon = c.float("epsilon", 1e-5)
      const outputs = c.graph.add("BatchNormalization", [x, scale, bias, mean, variance], { epsilon, training })
      const [y, batchMean, batchVariance] = outputs
      if (y && training && batchMean && batchVariance) {
        const share = 1 - c.float("momentum", 0.9)
        const count = sizeOf(x.shape) / (x.shape[1] as number)
        c.b.blendBuffer(mean, batchMean, share)
        c.b.blendBuffer(variance, mul(batchVariance, count / Math.max(1, count - 1)), share)
      }
      return outputs.slice(0, 1)
    },
  },
  /** Keeps each number with probability 1 - ratio and scales it by 1 / (1 - ratio) (Srivastava et al. 2014, section 10). */
  Dropout: {
    since: 7,
    gradient: true,
    build(c) {
      const x = c.input(0)
      const ratio = c.constantFloats(1)?.[0] ?? c.float("ratio", 0.5)
      if (!c.b.isTraining || ratio === 0) return x
      if (!(ratio > 0 && ratio < 1)) return c.fail("a ratio in 0..1", String(ratio))
      const isKept = cast(greaterOrEqual(c.b.noise(x.shape), ratio), "float32")
      return mul(x, mul(isKept, 1 / (1 - ratio)))
    },
  },
} as const satisfies Readonly<Record<string, ImportRule>>
