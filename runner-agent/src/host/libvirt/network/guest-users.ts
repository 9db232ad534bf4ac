import { createHash } from 'node:crypto'
import { guestPorts } from './ports.ts'

/** User ids that no Linux distribution gives out: see "Users, Groups, UIDs and GIDs" of systemd. */
const unused = { first: 1_879_048_192, last: 2_147_352_575 }

export interface UserRange {
  first: number
  last: number
}

const span = guestPorts.last - guestPorts.first + 1

/**
 * User ids of a runner's networking processes, one for each port: guests that run at the same time have different
 * ports, so no process may touch another's, and each can be limited by its user id.
 */
export function guestUsers(owner: string, firstUser: number | null): UserRange {
  const blocks = Math.floor((unused.last - unused.first + 1) / span)
  const block = createHash('sha256').update(owner).digest().readUInt32BE(0) % blocks
  const first = firstUser ?? unused.first + block * span
  return { first, last: first + span - 1 }
}

export function userOfPort(users: UserRange, port: number): number {
  if (port < guestPorts.first || port > guestPorts.last) {
    throw new RangeError(`port ${port} is not of ${guestPorts.first} to ${guestPorts.last}`)
  }
  return users.first + port - guestPorts.first
}
