// Written by `pnpm kinds`: not to be changed by hand.

export { claims } from './claims.ts'
export { environmentClasses } from './environment-classes.ts'
export { environments } from './environments.ts'
export { events } from './events.ts'
export { jobs } from './jobs.ts'
export { observers } from './observers.ts'
export { organizations } from './organizations.ts'
export { prebuilds } from './prebuilds.ts'
export { projects } from './projects.ts'
export { runners } from './runners.ts'
export { tokens } from './tokens.ts'
export { warmPools } from './warm-pools.ts'
