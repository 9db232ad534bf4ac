// Written by `pnpm kinds`: not to be changed by hand.

import { claimKind } from './claim.ts'
import { deploymentKind } from './deployment.ts'
import { environmentKind } from './environment.ts'
import { environmentClassKind } from './environment-class.ts'
import { jobKind } from './job.ts'
import { observerKind } from './observer.ts'
import { organizationKind } from './organization.ts'
import { pipelineKind } from './pipeline.ts'
import { prebuildKind } from './prebuild.ts'
import { projectKind } from './project.ts'
import { routeKind } from './route.ts'
import { runnerKind } from './runner.ts'
import { serviceKind } from './service.ts'
import { sessionKind } from './session.ts'
import { snapshotKind } from './snapshot.ts'
import { spaceKind } from './space.ts'
import { taskKind } from './task.ts'
import { tokenKind } from './token.ts'
import { userSecretKind } from './user-secret.ts'
import { volumeKind } from './volume.ts'
import { warmPoolKind } from './warm-pool.ts'
import { webAppKind } from './web-app.ts'

export * from './claim.ts'
export * from './deployment.ts'
export * from './environment.ts'
export * from './environment-class.ts'
export * from './job.ts'
export * from './observer.ts'
export * from './organization.ts'
export * from './pipeline.ts'
export * from './prebuild.ts'
export * from './project.ts'
export * from './route.ts'
export * from './runner.ts'
export * from './service.ts'
export * from './session.ts'
export * from './snapshot.ts'
export * from './space.ts'
export * from './task.ts'
export * from './token.ts'
export * from './user-secret.ts'
export * from './volume.ts'
export * from './warm-pool.ts'
export * from './web-app.ts'

/** Every kind by its name. */
export const kinds = {
  Claim: claimKind,
  Deployment: deploymentKind,
  Environment: environmentKind,
  EnvironmentClass: environmentClassKind,
  Job: jobKind,
  Observer: observerKind,
  Organization: organizationKind,
  Pipeline: pipelineKind,
  Prebuild: prebuildKind,
  Project: projectKind,
  Route: routeKind,
  Runner: runnerKind,
  Service: serviceKind,
  Session: sessionKind,
  Snapshot: snapshotKind,
  Space: spaceKind,
  Task: taskKind,
  Token: tokenKind,
  UserSecret: userSecretKind,
  Volume: volumeKind,
  WarmPool: warmPoolKind,
  WebApp: webAppKind,
} as const
