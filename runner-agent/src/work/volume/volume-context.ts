import type { Machines } from '../../host/machines.ts'
import type { Volumes } from '../../host/volumes.ts'
import type { Guests } from '../process/guests.ts'

/** What the work on every volume needs. */
export interface VolumeContext {
  machines: Pick<Machines, 'look'>
  volumes: Volumes
  guests: Pick<Guests, 'use'>
}
