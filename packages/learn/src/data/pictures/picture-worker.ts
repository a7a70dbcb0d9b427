import { answerCalls } from "@learnloss/engine/threads"
import type { PictureCalls } from "./picture-protocol.ts"
import { preparePicture } from "./prepare-picture.ts"

/** Runs on a thread that prepares pictures. */
answerCalls<PictureCalls>({ prepare: preparePicture }, ({ planes }) => [planes.buffer])
