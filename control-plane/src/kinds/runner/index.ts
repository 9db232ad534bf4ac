export { Listening } from './listening.ts'
export { notePresences } from './presence.ts'
export { Revocations } from './revocation.ts'
export { noteWorkKinds, refuseSync } from './synchronisation.ts'
