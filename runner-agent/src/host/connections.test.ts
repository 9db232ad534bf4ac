import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { connectionsByPort } from './connections.ts'

const count = (port: number) =>
  connectionsByPort(`${readFileSync('/proc/net/tcp', 'utf8')}${readFileSync('/proc/net/tcp6', 'utf8')}`).get(
    port,
  ) ?? 0

test('a port that is listened on has as many connections as were opened and not closed', async () => {
  const accepted: Socket[] = []
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(count(port)).toBe(0)
  const clients = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  await Promise.all(clients.map((client) => once(client, 'connect')))
  expect(count(port)).toBe(2)
  clients[0]?.destroy()
  await expect.poll(() => count(port)).toBe(1)
  clients[1]?.destroy()
  await expect.poll(() => count(port)).toBe(0)
  server.close()
})

test('whatever else stands in the text is passed over', () => {
  expect(connectionsByPort('')).toEqual(new Map())
  expect(connectionsByPort('  sl  local_address rem_address   st\n 0: zz:0016 00:0000 01\n')).toEqual(
    new Map(),
  )
  const row = '   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1'
  expect(connectionsByPort(`${row}\n${row.replace(' 01 ', ' 0A ')}`)).toEqual(new Map([[8_080, 1]]))
})
