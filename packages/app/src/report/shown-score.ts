/** Least score of the detections that are shown to people unless they say otherwise: below it they are rarely objects. */
export const shownScore = 0.3

/**
 * Joints that score less are drawn hollow: below it they are more often wrong than right by PCK@0.2, see docs/pose.md
 * ("What hollow joints mean").
 */
export const sureJointScore = 0.2
