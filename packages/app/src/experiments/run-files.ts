/** Names of what a run's folder holds. */
export const runFiles = {
  config: "config.json",
  /** Image size, class names and normalisation: what a network needs to be written to a file. */
  network: "network.json",
  /** Ids of the images that take part, a line a trial, so that others can repeat the run image for image. */
  pools: "pools.jsonl",
  cycles: "cycles.jsonl",
  selections: "selections.jsonl",
  predictions: "predictions.jsonl",
  picked: "picked",
  /** Pictures of what detectors found after their last cycle. */
  found: "found",
  checkpoints: "checkpoints",
  report: "report.html",
  learningCurveSvg: "learning-curve.svg",
  learningCurvePng: "learning-curve.png",
  results: "results.csv",
} as const
