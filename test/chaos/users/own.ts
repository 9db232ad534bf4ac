import type { Intents } from '../check/history.ts'

/** The resources that one user has made. */
export interface Own {
  claim: Intents['claims'][number] | null
  environment: Intents['environments'][number] | null
  /** The newest, as the prebuild. */
  snapshot: Intents['snapshots'][number] | null
  prebuild: Intents['prebuilds'][number] | null
  task: Intents['processes'][number] | null
  service: Intents['processes'][number] | null
  route: Intents['routes'][number] | null
  volume: Intents['volumes'][number] | null
  webApp: Intents['webApps'][number] | null
  pipeline: Intents['pipelines'][number] | null
  /** All tasks and services in the user's machine. */
  processes: Intents['processes']
}
