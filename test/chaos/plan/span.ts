/** Within which users begin most of what they do, and most faults begin. */
export const workMilliseconds = 2_500
