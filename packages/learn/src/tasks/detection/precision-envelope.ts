/** What a detection turned out to be: of an object or not, or on something that counts neither way. */
export const outcome = { wrong: 0, right: 1, notCounted: 2 } as const

/**
 * Largest precision at or after each right detection, visiting them in order: element k is the precision that is still
 * reached when k + 1 objects are to be found. Between right detections precision only falls, so these are all of its
 * steps.
 *
 * @param outcomes of each detection one of `outcome`
 */
export function precisionEnvelope(order: Uint32Array, outcomes: Uint8Array): number[] {
  const envelope: number[] = []
  let counted = 0
  for (const index of order) {
    if (outcomes[index] === outcome.notCounted) continue
    counted++
    if (outcomes[index] === outcome.right) envelope.push((envelope.length + 1) / counted)
  }
  for (let place = envelope.length - 2; place >= 0; place--) {
    envelope[place] = Math.max(envelope[place] as number, envelope[place + 1] as number)
  }
  return envelope
}

/**
 * COCO's average precision at one overlap: the mean of the envelope at recall 0, 0.01, ..., 1.
 *
 * @param objects how many are to be found
 */
export function meanPrecision(order: Uint32Array, outcomes: Uint8Array, objects: number): number {
  const envelope = precisionEnvelope(order, outcomes)
  let sum = 0
  let place = 0
  for (let hundredth = 0; hundredth <= 100; hundredth++) {
    // In floating point, as numpy's linspace and searchsorted have it: 35 of 100 do not reach 35 * 0.01.
    while (place < envelope.length && (place + 1) / objects < hundredth * 0.01) place++
    sum += envelope[place] ?? 0
  }
  return sum / 101
}
