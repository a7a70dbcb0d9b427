/** @file Our side of the bench: the same work as peer.py's, through the built packages. */

/**
 * @typedef {object} BenchOptions
 * @property {number} width channels of ResNet-18's first stage
 * @property {number} batch images a run, 32x32 with three channels
 * @property {number} threads
 *
 * @typedef {object} Bench
 * @property {() => Promise<void>} run does the work once
 * @property {() => Promise<void>} [release] frees what it holds
 */

/**
 * One joint training step: network, loss prediction module, cross-entropy and ranking loss, backward, SGD.
 *
 * @param {BenchOptions} _options
 * @returns {Promise<Bench>}
 */
export async function createStepBench(_options) {
  throw new Error("bench/ours.mjs: createStepBench is not there yet")
}

/**
 * Logits, predicted losses and embeddings of one batch in evaluation mode.
 *
 * @param {BenchOptions} _options
 * @returns {Promise<Bench>}
 */
export async function createScoreBench(_options) {
  throw new Error("bench/ours.mjs: createScoreBench is not there yet")
}
