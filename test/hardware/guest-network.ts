import { isolatedByDefault } from '@hearth/runner-agent'

/** The options of a libvirt host whose guests are connected as an agent without settings would. */
export const guestNetwork = {
  guestAddress: '127.0.0.1',
  network: isolatedByDefault,
  socketsFolder: '/run/hearth/guests',
  isRoot: true,
}
