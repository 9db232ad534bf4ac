import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenAt } from './owned-socket.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-socket-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const named = (name: string): Server => createServer((socket) => socket.end(name))
async function who(path: string): Promise<string> {
  const socket = connect(path)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks).toString()
}
const closed = async (server: Server) => {
  server.close()
  await once(server, 'close')
}

test('who listens later has the path, and the earlier one that ends does not take it away', async () => {
  const path = join(folder, 'gate.sock')
  const [first, second] = [named('first'), named('second')]
  const early = await listenAt(first, path)
  expect(await who(path)).toBe('first')
  const late = await listenAt(second, path)
  expect(await who(path)).toBe('second')
  expect([await early.isOurs(), await late.isOurs()]).toEqual([false, true])
  await closed(first)
  await early.release()
  expect(await who(path)).toBe('second')
  await closed(second)
  await late.release()
  expect(await late.isOurs()).toBe(false)
})
