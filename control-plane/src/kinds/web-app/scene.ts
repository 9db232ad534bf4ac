import type { EnvironmentRow } from '../environment/index.ts'
import type { KeptProcesses } from '../process/index.ts'
import type { SpaceRow } from '../space/index.ts'

/** What is locked with a web app. */
export interface Scene {
  environment: EnvironmentRow
  spaces: readonly SpaceRow[]
  kept: KeptProcesses
  now: Date
}
