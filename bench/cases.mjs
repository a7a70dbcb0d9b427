/**
 * @file What is measured and what the project wants to reach.
 *
 * `wanted` is a ratio, theirs over ours: higher is better for us; null only informs. `wantedShare` is the share of the
 * machine's limit that our GFLOP/s should reach, `wantedSeconds` the most that our side may take where there is no peer,
 * `most` bounds the repetitions. A network with `taps` is exported by the peer and imported by us; that many are tapped.
 */

const small = [3, 32, 32]
const resnet = (width, batch) => ({ network: "resnet18", width, batch, image: small })
const ssd300 = (batch) => ({ network: "ssd300-vgg16", width: 64, batch, image: [3, 300, 300] })
const ssdMobile = (batch) => ({ network: "ssd-mobile", width: 32, batch, image: [3, 128, 128] })
const hourglass2 = (batch) => ({ network: "hourglass2", width: 64, stacks: 2, batch, image: [3, 256, 256] })
const smallHourglass = (batch) => ({ network: "hourglass", width: 16, stacks: 1, batch, image: [3, 64, 64] })

/** Settings of the cycle's run beside the defaults; the twin reads them too. */
const cycleConfig = {
  data: "fashion-mnist",
  model: { name: "cnn4", width: 16 },
  augment: { crop: 2, flip: true },
  training: { steps: 500, batch: 64, learningRate: 0.05, schedule: { kind: "cosine" }, startFrom: "fresh" },
  budget: { initial: 1000, perCycle: 1000, cycles: 2, candidates: 20_000 },
  strategies: ["learning-loss"],
}

/** The machine's limit: square matrices of this size, several products in a row. */
export const gemm = { name: "gemm-2048", kind: "gemm", size: 2048, products: 4, wanted: null, most: 5 }

export const cases = [
  gemm,
  { name: "step-w64-b128", kind: "step", ...resnet(64, 128), wanted: 1.1, wantedShare: 0.6 },
  { name: "step-w64-b32", kind: "step", ...resnet(64, 32), wanted: 1, wantedShare: 0.6 },
  { name: "step-w16-b128", kind: "step", ...resnet(16, 128), wanted: 0.9 },
  { name: "step-cnn4-w16-b64", kind: "step", network: "cnn4", width: 16, batch: 64, image: [1, 28, 28], wanted: 1.5 },
  { name: "step-mobilenet", kind: "step", network: "mobilenet", taps: 4, batch: 32, image: [3, 64, 64], wanted: 0.8 },
  { name: "step-vit", kind: "step", network: "vit", taps: 3, batch: 64, image: small, wanted: 0.8 },
  { name: "step-ssd300", kind: "step", ...ssd300(8), wanted: 1, most: 3 },
  { name: "step-ssd-mobile", kind: "step", ...ssdMobile(16), wanted: 0.8 },
  { name: "step-hourglass2", kind: "step", ...hourglass2(6), wanted: 1, most: 5 },
  { name: "step-hourglass-w16", kind: "step", ...smallHourglass(16), wanted: 0.8 },
  { name: "score-w64-b32", kind: "score", ...resnet(64, 32), wanted: 1.2, wantedShare: 0.85 },
  { name: "score-w64-b128", kind: "score", ...resnet(64, 128), wanted: 1.2, wantedShare: 0.85 },
  { name: "score-w16-b128", kind: "score", ...resnet(16, 128), wanted: 1.2 },
  { name: "score-ssd300", kind: "score", ...ssd300(8), wanted: 1.3, most: 5 },
  { name: "score-ssd-mobile", kind: "score", ...ssdMobile(32), wanted: 1.3 },
  { name: "score-hourglass2", kind: "score", ...hourglass2(6), wanted: 1.3, most: 5 },
  { name: "score-hourglass-w16", kind: "score", ...smallHourglass(32), wanted: 1.3 },
  { name: "cycle-cnn4", kind: "cycle", config: cycleConfig, wanted: 1.5, most: 3 },
  { name: "cycles-cnn4", kind: "cycle", config: { ...cycleConfig, trials: 2 }, wanted: null, most: 3 },
  { name: "memory-w64-b128", kind: "memory", ...resnet(64, 128), isPlanKnown: true, wanted: 1 },
  { name: "memory-w64-b32", kind: "memory", ...resnet(64, 32), isPlanKnown: true, wanted: null },
  { name: "memory-planning", kind: "memory", ...resnet(64, 128), isPlanKnown: false, wanted: null },
  { name: "build-w64", kind: "build", ...resnet(64, 128), isPlanKnown: false, wanted: null, wantedSeconds: 5, most: 3 },
  {
    name: "build-w64-known",
    kind: "build",
    ...resnet(64, 128),
    isPlanKnown: true,
    wanted: null,
    wantedSeconds: 2,
    most: 3,
  },
  {
    name: "metrics-5000",
    kind: "metrics",
    images: 5000,
    detections: 200,
    classes: 20,
    wanted: null,
    wantedSeconds: 10,
    most: 3,
  },
]
