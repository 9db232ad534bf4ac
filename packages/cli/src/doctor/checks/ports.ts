import { addressesOf } from '@hearth/client'
import { portIsFree } from '../../process/port.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'ports'

export interface PortFacts {
  port: number
  free: boolean
  /** Whether a hearth process of this state folder should be listening on the port. */
  ours: boolean
}

export const portsCheck: Check = {
  name: check,
  async examine({ context, runsHere }) {
    const [url] = context === null ? [] : addressesOf(context.url)
    const port = portOf(url) ?? 7_070
    return [judgePort({ port, free: await portIsFree(port), ours: runsHere })]
  },
}

export function judgePort({ port, free, ours }: PortFacts): Finding {
  if (ours) {
    return free
      ? {
          check,
          level: 'problem',
          message: `hearth runs here, but nothing listens on port ${port}`,
          remedy: 'look at logs/control-plane.log in the state folder',
        }
      : { check, level: 'ok', message: `the control plane listens on port ${port}` }
  }
  if (free) return { check, level: 'ok', message: `port ${port} is free` }
  return {
    check,
    level: 'problem',
    message: `port ${port} is taken by something that is not run by this state folder`,
    remedy: `\`ss -ltnp "sport = :${port}"\` shows by whom; \`hearth dev --port\` takes another`,
  }
}

/** The port of an address on this host; undefined for an address elsewhere. */
export function portOf(url: string | undefined): number | undefined {
  if (url === undefined) return undefined
  const { hostname, port, protocol } = new URL(url)
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return undefined
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
