import { isolatedByDefault } from '@hearth/runner-agent'

/** Options of a libvirt host that connects guests as an agent with default settings does. */
export const guestNetwork = {
  guestAddress: '127.0.0.1',
  network: isolatedByDefault,
  socketsFolder: '/run/hearth/guests',
  isRoot: true,
}
