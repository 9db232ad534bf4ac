export { findArtifact, holdArtifact, releaseArtifacts } from './queries.ts'
export { type Received, receiveArtifact } from './receive.ts'
export { artifactBytes } from './stored-bytes.ts'
export { type ArtifactRow, toArtifact } from './table.ts'
