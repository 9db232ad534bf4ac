import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim, Route } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { visit } from './browser.ts'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { endCaddy } from './end-caddy.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Routes whose machine gets another host, or one that serves none. */
const runnerLease = 1_500
const timings = {
  heartbeat: 150,
  lease: runnerLease,
  removalGrace: 400,
  synchronisationSpread: 50,
  synchronisation: 4_000,
  synchronisationReply: 2_000,
  retryMost: 300,
}
const patience = { timeoutMilliseconds: 60_000 }

let installation: Installation
let relay: CuttableRelay
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { runnerLease, placementRest: 300 } } })
  const { hostname, port } = new URL(installation.nats.url)
  relay = await startCuttableRelay({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  for (const agent of agents) {
    await agent.stop()
    await endCaddy(agent.stateFolder)
  }
  await relay?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function start(name: string, more: Partial<Parameters<typeof startSyntheticAgent>[1]> = {}) {
  const port = await freePort()
  const agent = await startSyntheticAgent(installation, {
    ...{ name, timings, ...more },
    environment: {
      HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
      HEARTH_INGRESS_LISTEN: `127.0.0.1:${port}`,
      HEARTH_INGRESS_HTTP_LISTEN: 'none',
      ...more.environment,
    },
  })
  agents.push(agent)
  return { agent, port, id: agent.runner.metadata.id }
}

const untilClaim = (id: string, wanted: (claim: Claim) => boolean) =>
  until(installation.client, 'the claim', () => installation.client.claims.get(id), wanted)
const untilRoute = (id: string, wanted: (route: Route) => boolean) =>
  until(installation.client, 'the route', () => installation.client.routes.get(id), wanted)

/** What is under a host name on one of the hosts. */
async function statusOn(
  { agent, port }: { agent: SyntheticAgent; port: number },
  host: string,
): Promise<number> {
  const root = join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt')
  return (await visit(`https://${host}:${port}/`, readFileSync(root, 'utf8'))).status
}

test('a route follows a claim to another host, and the first one ends it when it is back', async () => {
  const { client } = installation
  const cut = await start('cut', { through: relay })
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'moving',
    onHostLoss: 'recreate',
    warmPools: [{ min: 0 }],
  })
  const claim = await client.claims.create({
    spec: { warmPoolId: warmPools[0]?.id ?? '', publicKey: newPublicKey() },
  })
  const { id, name } = (await untilClaim(claim.metadata.id, ({ status }) => status.phase === 'bound'))
    .metadata
  const { metadata } = await client.routes.create({ spec: { claim: id, port: 3_000, access: 'public' } })
  const before = await untilRoute(metadata.id, ({ status }) => status.phase === 'active')
  const host = `web-${name}.hearth.localhost`
  expect(before.status).toMatchObject({ host, runnerId: cut.id })
  expect(await statusOn(cut, host)).toBe(200)

  const staying = await start('staying')
  relay.cut()
  await untilClaim(id, ({ status }) => status.lost !== null && status.phase === 'bound')
  const after = await untilRoute(
    metadata.id,
    ({ status }) => status.phase === 'active' && status.runnerId === staying.id,
  )
  expect(after.spec.environmentId).not.toBe(before.spec.environmentId)
  expect(after.status.url).toBe(`https://${host}:${staying.port}`)
  await eventually(async () => (await statusOn(staying, host)) === 200, patience)
  // Whoever cannot be told goes on with what it knows.
  expect(await statusOn(cut, host)).toBe(200)
  relay.mend()
  await eventually(async () => (await statusOn(cut, host)) === 404, patience)
  expect(await statusOn(staying, host)).toBe(200)
}, 120_000)

test('a route to a machine on a host without Caddy waits, and says what to install', async () => {
  const { client } = installation
  await start('bare', { labels: { host: 'bare' }, environment: { HEARTH_INGRESS_CADDY: 'no-such-caddy' } })
  const project = await client.projects.create({ name: 'bare', spec: {} })
  const environmentClass = await client.environmentClasses.create({
    name: 'bare',
    spec: {
      ...{ virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' },
      runnerSelector: { host: 'bare' },
    },
  })
  const { metadata } = await client.environments.create({
    name: 'bare-1',
    spec: { projectId: project.metadata.id, environmentClassId: environmentClass.metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  const route = await client.routes.create({ spec: { environment: 'bare-1', port: 3_000 } })
  expect(route.status).toMatchObject({ phase: 'pending', host: null })
  expect(route.status.deadline).not.toBeNull()
  const why = await client.routes.why(route.metadata.id)
  expect(why.sentence).toBe(
    'it waits for runner bare to serve routes: no-such-caddy is not installed: apt-get install caddy',
  )
  const ofRunner = await client.runners.why('bare')
  expect(ofRunner.evidence.map(({ what }) => what)).toContain(
    'it serves no routes: no-such-caddy is not installed: apt-get install caddy',
  )
  await client.routes.delete(route.metadata.id)
  await expect(client.routes.get(route.metadata.id)).rejects.toThrow('there is no route')
})
