import { randomBytes } from 'node:crypto'
import { FixedClock } from '@hearth/foundation'
import { createTestDatabase, type TestDatabase } from '@hearth/testing'
import type { Logger } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../database/connection.ts'
import { Encryption } from '../database/encryption.ts'
import { migrate } from '../database/migrate.ts'
import { SecureIdentity } from './secure-identity.ts'

const day = 24 * 3_600_000
const start = new Date('2026-01-01T12:00:00Z')
const encryption = new Encryption(randomBytes(32))
const log = { info: () => undefined, warn: () => undefined } as unknown as Logger
let given: TestDatabase
let connection: { database: Database; close(): Promise<void> }

beforeAll(async () => {
  given = await createTestDatabase(async (url) => void (await migrate(url)))
  connection = connectDatabase(given.url, () => undefined)
})
afterAll(async () => {
  await connection.close()
  await given[Symbol.asyncDispose]()
})

const prepare = (clock: FixedClock) =>
  SecureIdentity.prepare({
    database: connection.database,
    encryption,
    clock,
    log,
    hosts: ['hearth.example.org'],
  })

test('all control planes have one authority, made once and not readable in the database', async () => {
  const clock = new FixedClock(start)
  const [one, other] = await Promise.all([prepare(clock), prepare(clock)])
  using _ = one
  using __ = other
  expect(one.authority).toBe(other.authority)
  expect(one.credentials.certificate).not.toBe(other.credentials.certificate)
  expect(one.hosts).toEqual(['localhost', '127.0.0.1', '::1', 'hearth.example.org'])
  const [row] = await connection.database.selectFrom('tls_authority').selectAll().execute()
  expect(row?.certificate).toBe(one.authority)
  expect(row?.private_key.toString('latin1')).not.toContain('PRIVATE KEY')
})

test('a certificate is replaced before it ends, under the same authority', async () => {
  const clock = new FixedClock(start)
  using identity = await prepare(clock)
  const { authority, credentials } = identity
  const renewed: string[] = []
  identity.onRenewal(({ certificate }) => renewed.push(certificate))
  clock.advance(59 * day)
  await identity.look()
  expect(renewed).toEqual([])
  clock.advance(2 * day)
  await identity.look()
  expect(renewed).toEqual([identity.credentials.certificate])
  expect(identity.credentials.certificate).not.toBe(credentials.certificate)
  expect(identity.authority).toBe(authority)
})

test('an authority that is about to end is replaced', async () => {
  const clock = new FixedClock(start)
  using before = await prepare(clock)
  clock.advance(20 * 365 * day - 50 * day)
  using after = await prepare(clock)
  expect(after.authority).not.toBe(before.authority)
  expect(after.credentials.endsAt.getTime()).toBeGreaterThan(clock.now().getTime() + 80 * day)
})
