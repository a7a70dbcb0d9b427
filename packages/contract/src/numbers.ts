import { z } from "zod"

/** How many of something there are. */
export const count = z.number().int().positive()
const share = z.string().regex(/^\d+(\.\d+)?%$/, "a share is written like 60%")

/** A point in training: a number of epochs or steps (the unit that `training` uses) or a share such as `60%`. */
export const moment = z.union([z.number().nonnegative(), share])

export type Moment = z.output<typeof moment>
