/** Least score of the detections that are shown to people unless they say otherwise: below it they are rarely objects. */
export const shownScore = 0.3
