export { type AllowedHost, parseAllowedHost } from './allowed-hosts.ts'
export { type Destination, Outgoing } from './outgoing.ts'
