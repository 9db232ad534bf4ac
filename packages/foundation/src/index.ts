export { assertNever } from './assert-never.ts'
export { backoff } from './backoff.ts'
export { canonicalJson } from './canonical-json.ts'
export { type Clock, FixedClock, spokenTime, systemClock } from './clock.ts'
export { Deadline } from './deadline.ts'
export {
  type ErrorCode,
  type ErrorDetail,
  HearthError,
  type HearthErrorOptions,
  invalidValue,
  toError,
} from './errors.ts'
export { EventLoopWatch, type Stall } from './event-loop-watch.ts'
export { isId, newId } from './ids.ts'
export { generateSealingKeyPair, type SealingKeyPair, seal, unseal } from './sealing.ts'
export { spanText } from './span-text.ts'
export { stallLog } from './stall-log.ts'
