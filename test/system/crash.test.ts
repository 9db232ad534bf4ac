import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Service, startService } from '../bench/service.ts'
import { untilPool } from './following.ts'
import { newPublicKey } from './public-key.ts'

let service: Service

beforeAll(async () => {
  service = await startService()
  await service.startAgent('north', {
    HEARTH_AGENT_HOST: 'synthetic',
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '200',
    HEARTH_SYNTHETIC_STEP_MILLISECONDS: '100',
  })
})
afterAll(() => service[Symbol.asyncDispose]())

test('a control plane that is killed repeatedly while a pool fills loses no intent and makes no machine twice', async () => {
  const { client } = service
  const { warmPools, projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'killed',
    setup: ['make'],
    warmPools: [{ min: 20 }],
  })
  const id = warmPools[0]?.id ?? ''
  for (let crash = 0; crash < 3; crash++) await service.crashControlPlane()
  await untilPool(client, id, ({ status }) => status.ready === 20 && status.provisioning === 0)
  expect(await client.environments.listAll({ warmPoolId: id })).toHaveLength(20)
  expect(readdirSync(join(service.folder, 'north', 'environments'))).toHaveLength(20)
  await client.projects.delete('killed')
  await expect.poll(() => client.environments.listAll({ projectId }), { timeout: 60_000 }).toEqual([])
  await expect
    .poll(() => readdirSync(join(service.folder, 'north', 'environments')), { timeout: 30_000 })
    .toEqual([])
}, 180_000)

test('a claim repeated under its key after a crash is the same claim, byte for byte', async () => {
  const { client } = service
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'repeated',
    warmPools: [{ min: 2 }],
  })
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 2)
  const body = JSON.stringify({ spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() } })
  const claim = async () => {
    const response = await fetch(`${service.url}/v1/claims`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${service.token}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': 'mine',
      },
      body,
    })
    return { status: response.status, text: await response.text() }
  }
  const first = await claim()
  expect(first.status).toBe(201)
  await service.crashControlPlane()
  expect(await claim()).toEqual(first)
  expect((await client.claims.listAll({})).length).toBe(1)
})
