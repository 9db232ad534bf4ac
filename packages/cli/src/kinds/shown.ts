// Written by `pnpm kinds`: not to be changed by hand.

export { claimKind } from './claim.ts'
export { environmentKind } from './environment.ts'
export { environmentClassKind } from './environment-class.ts'
export { jobKind } from './job.ts'
export { organizationKind } from './organization.ts'
export { prebuildKind } from './prebuild.ts'
export { projectKind } from './project.ts'
export { runnerKind } from './runner.ts'
export { sessionKind } from './session.ts'
export { snapshotKind } from './snapshot.ts'
export { warmPoolKind } from './warm-pool.ts'
