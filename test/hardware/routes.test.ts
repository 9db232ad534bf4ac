import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Route } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { upgrade, visit } from '../system/browser.ts'
import { hearth } from '../system/command.ts'

import { createGuestClass, type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilEnvironment, untilReady } from './waiting.ts'
import { startWebServer } from './web-machine.ts'

/** A web server in a real guest, in the browser: by passt, over SSH, and out of its sleep. */
let host: HardwareHost
let agent: HardwareAgent
let claim: string
let environmentId: string
let ca: string

const patience = { timeoutMilliseconds: 120_000, intervalMilliseconds: 500 }

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  agent = await host.startAgent('routes', {
    HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort()}`,
    HEARTH_INGRESS_HTTP_LISTEN: 'none',
    HEARTH_INGRESS_STOPS: 'true',
  })
  await createGuestClass(host.client, 'guest', 'debian-12')
  const applied = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'web',
    warmPools: [{ environmentClass: 'guest', min: 1 }],
  })
  const poolId = applied.warmPools[0]?.id ?? ''
  await untilReady(host.client, poolId)
  const claimed = await hearth(host.installation, 'claim', 'web', '-o', 'json')
  ;({ name: claim, environmentId } = JSON.parse(claimed.stdout))
  await host.client.warmPools.update(poolId, { spec: { min: 0 } })
  await startWebServer(host.installation, claim, [3_000, 12_345])
  ca = readFileSync(join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')
}, 600_000)
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

async function expose(port: number, name: string, access: string): Promise<string> {
  const { stdout, stderr } = await hearth(
    host.installation,
    ...['expose', claim, String(port), '--name', name, '--access', access, '-o', 'json'],
  )
  if (stdout === '') throw new Error(stderr)
  return (JSON.parse(stdout) as Route).status.url ?? ''
}

it('a port that passt forwards, and one that is reached over SSH, answer under their names', async () => {
  for (const [port, name] of [
    [3_000, 'plain'],
    [12_345, 'tunnelled'],
  ] as const) {
    const url = await expose(port, name, 'public')
    expect(await visit(url, ca), name).toMatchObject({ status: 200, body: 'hello\n' })
    const socket = await upgrade(`${url}/socket`, ca)
    expect(await socket.echo('from a browser')).toBe('from a browser')
    socket.end()
  }
  const nobody = await visit(await expose(3_001, 'nobody', 'public'), ca)
  expect(nobody.status).toBe(502)
  expect(nobody.body).toContain('Nothing answers on port 3001')
})

it('a WebSocket outlives a killed agent, and the next one lets members in as before', async () => {
  const url = await expose(3_000, 'members', 'private')
  expect((await visit(url, ca)).status).toBe(401)
  const opened = await hearth(host.installation, 'open', `members-${claim}`, '-o', 'json')
  const { cookie } = await visit(JSON.parse(opened.stdout).url, ca)
  const socket = await upgrade(`${url}/socket`, ca, { cookie })
  expect(await socket.echo('before')).toBe('before')
  await agent.process.kill()
  expect(await socket.echo('without an agent')).toBe('without an agent')
  const waiting = visit(url, ca, { headers: { cookie } })
  await agent.process.start()
  expect(await waiting).toMatchObject({ status: 200, body: 'hello\n' })
  expect(await socket.echo('after')).toBe('after')
  socket.end()
})

it('a suspended guest is woken by a request, and what ran in it answers', async () => {
  const { client } = host
  const url = await expose(3_000, 'sleepy', 'public')
  await client.environments.update(environmentId, { spec: { desiredPhase: 'suspended' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'suspended')
  const page = await visit(url, ca, { headers: { accept: 'text/html' } })
  expect(page.status).toBe(503)
  expect(page.body).toContain('was asleep')
  await eventually(async () => (await visit(url, ca)).body === 'hello\n', patience)
  const { status } = await untilEnvironment(client, environmentId, (one) => one.status.phase === 'running')
  expect(status.resumed?.from).toBe('memory')
})
