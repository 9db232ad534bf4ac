import { expect, test } from 'vitest'
import { RouteTable } from './route-table.ts'
import type { ServedRoute } from './served-route.ts'
import { connectedAddresses } from './traffic.ts'

const route: ServedRoute = {
  id: 'r1',
  host: 'web.hearth.localhost',
  customDomain: null,
  environmentId: 'e1',
  machine: 'shop-1',
  port: 3_000,
  access: 'public',
  ticketKey: '',
  tokenDigest: null,
  refusedTokens: new Set(),
}
const off = { kind: 'off' } as const
const on = { kind: 'on', dial: '127.0.0.1:1' } as const

function asleep() {
  const clock = { now: 0 }
  const table = new RouteTable(() => clock.now)
  table.set(route, off)
  return { clock, table }
}

test('a machine is asked for once, however many requests want it, until it is on', () => {
  const { clock, table } = asleep()
  expect(table.wake('r1')).toEqual({ kind: 'asked' })
  const { id } = table.get('r1')?.waking ?? {}
  clock.now = 10_000
  expect(table.wake('r1')).toEqual({ kind: 'waking' })
  expect(table.get('r1')?.waking?.id).toBe(id)
  table.aim('r1', on)
  expect(table.get('r1')?.waking).toBeNull()
  expect(table.isSettling('r1')).toBe(true)
  clock.now += 120_000
  expect(table.isSettling('r1')).toBe(false)
})

test('what keeps it from starting is said for a while, and then it is asked for anew', () => {
  const { clock, table } = asleep()
  table.wake('r1')
  const { id = '' } = table.get('r1')?.waking ?? {}
  table.wakeFailed('r1', 'of another request', 'nothing')
  expect(table.wake('r1')).toEqual({ kind: 'waking' })
  table.wakeFailed('r1', id, 'the quota is used up')
  expect(table.wake('r1')).toEqual({ kind: 'failed', because: 'the quota is used up' })
  clock.now += 15_000
  expect(table.wake('r1')).toEqual({ kind: 'asked' })
  expect(table.get('r1')?.waking?.id).not.toBe(id)
})

test('one that does not start in time is given up, and asked for anew', () => {
  const { clock, table } = asleep()
  table.wake('r1')
  clock.now = 181_000
  expect(table.wake('r1')).toMatchObject({ kind: 'failed', because: 'it did not start within 180 s' })
  clock.now = 200_000
  expect(table.wake('r1')).toEqual({ kind: 'asked' })
})

test('a host name is one route’s, and goes with it', () => {
  const { table } = asleep()
  table.set({ ...route, host: 'other.hearth.localhost' }, on)
  expect(table.byHost('web.hearth.localhost')).toBeUndefined()
  expect(table.byHost('other.hearth.localhost')?.route.id).toBe('r1')
  table.delete('r1')
  expect(table.byHost('other.hearth.localhost')).toBeUndefined()
  expect(table.size).toBe(0)
})

test('open connections are read by where they lead to', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:9C40 21524D7F:32C8 01 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:9C42 0100007F:0BB8 06 00000000:00000000 00:00000000 00000000     0        0 0 3
`
  expect(connectedAddresses(text)).toEqual(new Set(['127.77.82.33:13000']))
})

test('a custom domain leads to its route, until that has another one or is gone', () => {
  const { table } = asleep()
  table.set({ ...route, customDomain: 'shop.example.com' }, on)
  expect(table.byHost('shop.example.com')?.route.id).toBe(route.id)
  table.set({ ...route, customDomain: 'store.example.com' }, on)
  expect(table.byHost('shop.example.com')).toBeUndefined()
  expect(table.byHost('store.example.com')?.route.id).toBe(route.id)
  table.delete(route.id)
  expect([table.byHost('store.example.com'), table.byHost(route.host)]).toEqual([undefined, undefined])
})
