import { defaultQuotas, noLifeCap } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Caller } from '../../api/caller.ts'
import { type Command, type CommandContext, performCommand } from '../../api/command.ts'
import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { createPrincipal } from '../token/index.ts'
import { World } from '../world.fixture.ts'
import { createObserver, deleteObserver, renewObserver } from './commands.ts'
import { keepObservers } from './keep.ts'
import { observers } from './queries.ts'

/**
 * Records the calls to NATS about an observer's consumer, and when they are made: they must be outside the
 * transaction.
 */
let world: World
let context: CommandContext
let calls: string[]
let failing: string | null

beforeAll(async () => {
  world = await World.create()
  const { organizationId } = await world.party()
  const principal = { organization_id: organizationId, kind: 'user' as const, name: 'somebody' }
  const principalId = await createPrincipal(world.database, principal)
  const call = (name: string) => async () => {
    calls.push(name)
    if (failing === name) throw new Error(`${name} failed`)
  }
  const messaging = { ensureObserver: call('ensure'), removeObserver: call('remove') }
  const services = {
    database: world.database,
    clock: world.clock,
    messaging,
    observerMessaging: { accountSeed: null, isOpen: true },
    log: { warn: () => undefined },
  } as unknown as Services
  const caller: Caller = {
    principalId,
    organizationId,
    tokenId: newId(),
    name: 'somebody',
    roles: ['member'],
    runnerId: null,
    hasSecrets: false,
    lifeCap: noLifeCap,
    limits: defaultQuotas,
  }
  context = { services, caller, expectedVersion: null, signal: new AbortController().signal }
})
beforeEach(() => {
  calls = []
  failing = null
})
afterAll(() => world[Symbol.asyncDispose]())

async function perform<Input, Outcome>(
  command: Command<Input, Outcome>,
  input: Input,
  inside: (tx: DatabaseTransaction) => Promise<void> = async () => undefined,
): Promise<Outcome> {
  return performCommand<Input, Outcome, Outcome>(
    command,
    context,
    input,
    async (work) => ({ answer: await transact(world.database, work), isRepeat: false }),
    async (outcome, tx) => {
      await inside(tx)
      return outcome
    },
  )
}

const wanted = () => ({ name: 'watcher', unacknowledged: 10, hours: 1, start: 'new' as const })
const isThere = async (id: string) => (await observers.readById(world.database, id)) !== undefined

test('if the transaction fails, NATS is not told of the observer', async () => {
  const failed = perform(createObserver, wanted(), async () => {
    expect(calls).toEqual([])
    throw new Error('no commit')
  })
  await expect(failed).rejects.toThrow('no commit')
  expect(calls).toEqual([])
})

test('the consumer is made after the commit', async () => {
  const { row } = await perform(createObserver, wanted())
  expect(calls).toEqual(['ensure'])
  expect(await isThere(row.id)).toBe(true)
})

test('a renewal that is overtaken by the deletion leaves no consumer', async () => {
  const { row } = await perform(createObserver, wanted())
  calls = []
  const renewed = await transact(world.database, (tx) =>
    renewObserver.run(tx, context, { reference: row.id, body: { hours: 2 } }, undefined),
  )
  await perform(deleteObserver, { reference: row.id, body: undefined })
  await renewObserver.afterCommit?.(context, renewed)
  expect(calls).toEqual(['remove', 'ensure', 'remove'])
  expect(await isThere(row.id)).toBe(false)
})

test('if NATS cannot be told of a deletion, housekeeping finishes it, and the observer is gone meanwhile', async () => {
  const { row } = await perform(createObserver, wanted())
  failing = 'remove'
  await expect(perform(deleteObserver, { reference: row.id, body: undefined })).rejects.toThrow(
    'remove failed',
  )
  await expect(perform(deleteObserver, { reference: row.id, body: undefined })).rejects.toMatchObject({
    code: 'not_found',
  })
  failing = null
  const { database, clock, messaging, log } = context.services
  await keepObservers(database, messaging, clock, log)
  expect(await isThere(row.id)).toBe(false)
})
