export { tellAddresses } from './addresses.ts'
export { type AppFacts, readAppFacts } from './app-facts.ts'
export { changeSpace } from './commands/change.ts'
export { lockSpaceForChange } from './commands/lock.ts'
export {
  healthCommand,
  prepareScript,
  processCommand,
  type Release,
  releaseScript,
  removeSpaceScript,
  setUpScript,
  switchScript,
} from './guest/index.ts'
export { placeOf, type SpacePlace } from './guest/place.ts'
export { forgetSpace, insertSpace, wantSpaceGone } from './life.ts'
export { serviceOf, taskOf } from './process-spec.ts'
export { lockSpacesOf, spaces } from './queries.ts'
export { keptReleases } from './releases.ts'
export { isTidying, settleSpace } from './settle.ts'
export { emptySpaceStatus, type SpaceRow, type StoredSpaceStatus, toSpace } from './table.ts'
export { changeSpaceStatus } from './write.ts'
