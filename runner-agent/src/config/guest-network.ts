import { isIPv4 } from 'node:net'
import { z } from 'zod'

const networkName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/
/** Linux allows an interface's name fifteen characters. */
const bridgeName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/

/** `isolated`, `user`, `network:NAME` or `bridge:NAME`. */
export const guestNetwork = z
  .string()
  .default('isolated')
  .transform((text, context) => {
    const [kind, name, ...more] = text.split(':')
    if ((kind === 'isolated' || kind === 'user') && name === undefined) return { kind } as const
    if (name !== undefined && more.length === 0) {
      if (kind === 'network' && networkName.test(name)) return { kind, name } as const
      if (kind === 'bridge' && bridgeName.test(name)) return { kind, name } as const
    }
    context.addIssue({
      code: 'custom',
      message: `"${text}" is none of isolated, user, network:NAME (a libvirt network) and bridge:NAME (a bridge of the host)`,
    })
    return z.NEVER
  })

const openedPort = /^([a-z][a-z0-9-]{0,62})=(\d+\.\d+\.\d+\.\d+):(\d{1,5})$/

/** Ports of the host that guests may reach: `name=address:port,name=address:port`. */
export const openedPorts = list((part, fault) => {
  const [, name = '', host = '', digits = ''] = openedPort.exec(part) ?? []
  const port = Number(digits)
  if (name === '' || !isIPv4(host) || port < 1 || port > 65_535) {
    return fault(`"${part}" is not NAME=ADDRESS:PORT with an IPv4 address, as in git=127.0.0.1:9418`)
  }
  return { name, host, port }
}).superRefine((ports, context) => {
  for (const field of ['name', 'port'] as const) {
    const twice = ports.find(
      (port, index) => ports.findIndex((other) => other[field] === port[field]) < index,
    )
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', message: `the ${field} ${twice[field]} is given twice` })
    }
  }
})

/** Networks that guests may not reach: `10.0.0.0/8,192.0.2.7`. */
export const deniedNetworks = list((part, fault) => {
  const [address = '', length = '32', ...more] = part.split('/')
  const isLength = /^\d{1,2}$/.test(length) && Number(length) <= 32
  if (!isIPv4(address) || !isLength || more.length > 0) {
    return fault(`"${part}" is not an IPv4 network, as in 10.0.0.0/8`)
  }
  return `${address}/${length}`
})

export const nameServer = z.ipv4('an IPv4 address')

/** Linux gives out user ids below 2^31 safely; 12,001 of them are used from this one on. */
export const firstGuestUser = z.coerce.number().int().min(1_000).max(2_147_000_000)

/** Parts with commas between them, at most 100. */
function list<Part>(parse: (part: string, fault: (message: string) => never) => Part) {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      const parts = text.split(',').map((part) => part.trim())
      const result: Part[] = []
      for (const part of parts.filter((piece) => piece !== '')) {
        try {
          result.push(
            parse(part, (message) => {
              throw new Error(message)
            }),
          )
        } catch (thrown) {
          context.addIssue({ code: 'custom', message: thrown instanceof Error ? thrown.message : part })
        }
      }
      if (result.length > 100) context.addIssue({ code: 'custom', message: 'at most 100 are taken' })
      return result
    })
}
