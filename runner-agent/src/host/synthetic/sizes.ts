/** Bytes of a disk on which nothing was written. */
export const emptyDiskBytes = 4 * 1024
/** Bytes that a synthetic guest writes with each boot. */
export const bootBytes = 64 * 1024
/** Bytes of a synthetic memory image. */
export const memoryBytes = 96 * 1024
export const imageFingerprint = 'synthetic'
