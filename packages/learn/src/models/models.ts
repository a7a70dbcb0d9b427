import type { ModelName } from "@learnloss/contract"
import { cnn4 } from "./cnn4.ts"
import type { Model, ModelOptions } from "./model.ts"
import { resnet18 } from "./resnet.ts"

/** Every network that a run can name. */
export const models = { resnet18, cnn4 } as const satisfies Record<ModelName, (options: ModelOptions) => Model>
