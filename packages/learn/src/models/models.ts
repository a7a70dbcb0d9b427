import type { ModelName } from "@learnloss/contract"
import { cnn4 } from "./cnn4.ts"
import { hourglass, hourglass2 } from "./hourglass/hourglass.ts"
import type { Model, ModelOptions } from "./model.ts"
import { resnet18 } from "./resnet.ts"
import { ssdMobile } from "./ssd/mobile.ts"
import { ssd300 } from "./ssd/ssd300.ts"

/** Every network that a run can name. */
export const models = {
  resnet18,
  cnn4,
  "ssd300-vgg16": ssd300,
  "ssd-mobile": ssdMobile,
  hourglass,
  hourglass2,
} as const satisfies Record<ModelName, (options: ModelOptions) => Model>
