import { Socket } from 'node:net'
import { defaultQuotas, noLifeCap } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CertificateAuthority } from '../../../access/certificate-authority.ts'
import type { CommandContext } from '../../../api/command.ts'
import { Encryption } from '../../../database/encryption.ts'
import { type Once, once } from '../../../database/idempotency-key.ts'
import { type Party, World } from '../../world.fixture.ts'
import { createClaim } from './create.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEdQSnmcrHrLv7o8x0Xw2nHkYyqvCW8kZb8Jb6Vq2k5B'
const encryption = new Encryption(Buffer.alloc(32, 1))
const authority = CertificateAuthority.generate()

/** How often something was sent after an answer had come, on any connection. */
let trips = 0
const { write, push } = Socket.prototype
beforeEach(() => {
  const waits = new WeakSet<Socket>()
  Socket.prototype.write = function (this: Socket, ...given: Parameters<typeof write>) {
    if (!waits.has(this)) trips += 1
    waits.add(this)
    return write.apply(this, given)
  } as typeof write
  Socket.prototype.push = function (this: Socket, ...given: Parameters<typeof push>) {
    waits.delete(this)
    return push.apply(this, given)
  } as typeof push
})
afterEach(() => Object.assign(Socket.prototype, { write, push }))

async function claim(world: World, party: Party, warmPoolId: string, key: string | null): Promise<Once> {
  const principalId = newId()
  await world.database
    .insertInto('principals')
    .values({ id: principalId, organization_id: party.organizationId, kind: 'user', name: principalId })
    .execute()
  const caller = {
    organizationId: party.organizationId,
    principalId,
    limits: defaultQuotas,
    lifeCap: noLifeCap,
  }
  const services = { authorities: { of: async () => authority }, clock: world.clock }
  const context = { services, caller } as unknown as CommandContext
  const body = {
    labels: {},
    spec: { warmPoolId, fallback: 'refuse' as const, publicKey, variables: {}, repositories: [] },
  }
  trips = 0
  return once(
    world.database,
    encryption,
    { organizationId: party.organizationId, key, principalId, request: warmPoolId },
    async (tx) => {
      const { row } = await createClaim.run(tx, context, body, undefined)
      return { status: 201, body: row.id }
    },
  )
}

test.each([null, 'a key'])(
  'a claim takes three round trips to PostgreSQL (Idempotency-Key: %s)',
  async (key) => {
    await using world = await World.create()
    const party = await world.party()
    const pool = await party.pool(await party.project())
    const owner = { owner_kind: 'warm-pool', owner_id: pool.id } as const
    for (let index = 0; index < 5; index += 1) await party.environment(pool, 'running', owner)
    // The first ones connect, and prepare their statements.
    for (let index = 0; index < 4; index += 1)
      await claim(world, party, pool.id, key === null ? null : `${key} ${index}`)
    const { isRepeat, answer } = await claim(world, party, pool.id, key)
    expect(isRepeat).toBe(false)
    expect(trips).toBe(3)
    const claimed = await world.database
      .selectFrom('environments')
      .select('id')
      .where('claim_id', '=', answer.body)
      .execute()
    expect(claimed).toHaveLength(1)
    const events = await world.database
      .selectFrom('events')
      .select('verb')
      .where('resource_id', '=', answer.body)
      .execute()
    expect(events).toEqual([{ verb: 'created' }])
  },
)
