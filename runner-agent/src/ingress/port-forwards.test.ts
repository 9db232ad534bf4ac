import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PortForwards } from './port-forwards.ts'

const routeId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const folder = mkdtempSync(join(tmpdir(), 'hearth-forwards-'))
const forwards = new PortForwards(folder)
let echo: Server

beforeAll(async () => {
  // It answers after the other end has said that it sends no more.
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => socket.end(Buffer.concat(chunks)))
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
})
afterAll(async () => {
  await forwards.closeAll()
  echo.close()
  rmSync(folder, { recursive: true, force: true })
})

const guest = async () => {
  const { port } = echo.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}
async function dial(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}
const until = async (holds: () => boolean) => {
  for (let looks = 0; looks < 500 && !holds(); looks += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(holds()).toBe(true)
}

test('all that is sent arrives, also after one end has sent its last', async () => {
  const path = await forwards.to(routeId, guest)
  expect(await forwards.to(routeId, guest)).toBe(path)
  const socket = await dial(path)
  const sent = Buffer.alloc(3_000_000, 7)
  const came: Buffer[] = []
  socket.on('data', (chunk: Buffer) => came.push(chunk))
  socket.end(sent)
  await once(socket, 'end')
  expect(Buffer.concat(came).equals(sent)).toBe(true)
  await until(() => !forwards.isUsed(routeId))
})

test('a port that cannot be opened ends the connection, and what is cut ends too', async () => {
  const path = await forwards.to(routeId, () => Promise.reject(new Error('nobody listens')))
  const refused = await dial(path)
  refused.resume()
  await once(refused, 'end')
  await forwards.to(routeId, guest)
  const open = await dial(path)
  open.resume()
  open.on('error', () => undefined)
  await until(() => forwards.isUsed(routeId))
  await forwards.cut(routeId)
  await once(open, 'end')
  await until(() => !forwards.isUsed(routeId))
})
