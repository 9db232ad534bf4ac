import type { Event } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'north' })
})
afterAll(async () => {
  await agent.stop()
  await installation[Symbol.asyncDispose]()
})

const declaration = (name: string, min: number) => ({
  apiVersion: 'hearth/v1' as const,
  name,
  setup: ['make'],
  warmPools: [{ min }],
})

async function collect(after: number, enough: (events: readonly Event[]) => boolean): Promise<Event[]> {
  const ended = new AbortController()
  const events: Event[] = []
  for await (const event of installation.client.events.follow({ after, signal: ended.signal })) {
    events.push(event)
    if (enough(events)) break
  }
  ended.abort()
  return events
}

test('an observer that was disconnected continues where it was: no gap and no repeat', async () => {
  const { client } = installation
  const { warmPools } = await client.apply(declaration('watched', 5))
  const first = await collect(0, (events) => events.length === 7)
  await untilPool(client, warmPools[0]?.id ?? '', ({ status }) => status.ready === 5)
  const last = first.at(-1)?.position ?? 0
  const isDone = (event: Event) =>
    event.kind === 'WarmPool' && (event.resource as { status: { ready: number } }).status.ready === 5
  const second = await collect(last, (events) => events.some(isDone))
  const positions = [...first, ...second].map(({ position }) => position)
  expect(positions).toEqual(
    Array.from({ length: positions.length }, (_, index) => index + (positions[0] ?? 0)),
  )
})

test('versions of each resource only rise, in the order of the events', async () => {
  const { items } = (await (
    await fetch(`${installation.url}/v1/events?after=0&limit=1000`, {
      headers: { Authorization: `Bearer ${installation.token}` },
    })
  ).json()) as { items: Event[] }
  const seen = new Map<string, { spec: number; status: number }>()
  for (const { resourceId, specVersion, statusVersion } of items) {
    if (specVersion === null || statusVersion === null) continue
    const before = seen.get(resourceId) ?? { spec: 0, status: 0 }
    expect(specVersion).toBeGreaterThanOrEqual(before.spec)
    expect(statusVersion).toBeGreaterThanOrEqual(before.status)
    seen.set(resourceId, { spec: specVersion, status: statusVersion })
  }
  expect(seen.size).toBeGreaterThan(6)
})

test('the output of steps can be followed while they run and read afterwards, with the same text', async () => {
  const { client } = installation
  const { warmPools } = await client.apply(declaration('printed', 1))
  const ended = new AbortController()
  let environmentId = ''
  for await (const event of client.events.follow({ after: 0, kind: 'Environment', signal: ended.signal })) {
    const { spec, metadata } = event.resource as { spec: { warmPoolId: string }; metadata: { id: string } }
    if (spec.warmPoolId !== warmPools[0]?.id) continue
    environmentId = metadata.id
    break
  }
  const read = async (follow: boolean) => {
    const texts = new Map<string, string>()
    const signal = AbortSignal.timeout(30_000)
    for await (const chunk of client.environments.logs(environmentId, { follow, signal })) {
      texts.set(chunk.step, (texts.get(chunk.step) ?? '') + chunk.text)
    }
    return texts
  }
  const followed = await read(true)
  expect(followed.get('project_setup')).toContain('make')
  expect(await read(false)).toEqual(followed)
  ended.abort()
})

test('a claim’s events contain the claim and its machine, but no certificate', async () => {
  const { client } = installation
  const { warmPools } = await client.apply(declaration('told', 1))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 1)
  const claim = await client.claims.create({
    spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  const tells = ({ resourceId, resource }: Event) =>
    resourceId === claim.status.environmentId &&
    (resource as { status: { claimId: string | null } }).status.claimId === claim.metadata.id
  const events = await collect(0, (all) => all.some(tells))
  // Both events are written by one statement, so an observer that has seen one has not missed the other.
  const late = await collect(0, (all) => all.some(({ resourceId }) => resourceId === claim.metadata.id))
  expect(late.find(({ resourceId }) => resourceId === claim.metadata.id)).toMatchObject({
    verb: 'created',
    kind: 'Claim',
  })
  expect(JSON.stringify(events)).not.toContain('-cert-v01@openssh.com')
})
