/** @file What is measured, and the ratio (theirs over ours, higher is better for us) that the project wants to reach. */

export const cases = [
  { name: "step-w64-b128", kind: "step", width: 64, batch: 128, wanted: 0.9 },
  { name: "step-w64-b32", kind: "step", width: 64, batch: 32, wanted: 0.8 },
  { name: "step-w16-b128", kind: "step", width: 16, batch: 128, wanted: 0.7 },
  { name: "score-w64-b32", kind: "score", width: 64, batch: 32, wanted: 1.1 },
  { name: "score-w16-b128", kind: "score", width: 16, batch: 128, wanted: 1.1 },
  // At most 1.2 times the peer's memory.
  { name: "memory-w64-b128", kind: "memory", width: 64, batch: 128, wanted: 1 / 1.2 },
]
