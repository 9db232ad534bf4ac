export { placeOf, type SpacePlace } from './guest/place.ts'
export { spaces } from './queries.ts'
export { type SpaceRow, toSpace } from './table.ts'
