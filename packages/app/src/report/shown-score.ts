/**
 * Least score of the detections that are shown to people unless they say otherwise: below it they are rarely objects. Joints
 * that score less are drawn hollow.
 */
export const shownScore = 0.3
