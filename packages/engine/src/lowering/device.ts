/** What a session can compute on: this processor, or a GPU or accelerator through one of ONNX Runtime's providers. */
export const devices = ["cpu", "webgpu", "cuda", "coreml", "dml"] as const
export type Device = (typeof devices)[number]
