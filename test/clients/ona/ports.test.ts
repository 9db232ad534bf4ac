import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Gitpod, { APIError } from '@gitpod/sdk'
import { EnvironmentState } from '@gitpod/sdk/lib/environment'
import { EnvironmentService } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { AdmissionLevel } from '@hearth/control-plane/ona/gitpod/v1/environment_spec_pb'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { visit } from '../../system/browser.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { startWebGuest, type WebGuest } from '../../system/web-guest.ts'
import { Ground } from './ground.ts'

/** Ports with a real Caddy, and a real server in the place of a guest's. */
let ground: Ground
let ona: Gitpod
let edge: SyntheticAgent
let guest: WebGuest
let projectId: string
beforeAll(async () => {
  ground = await Ground.start()
  ona = new Gitpod({ baseURL: ground.baseUrl, bearerToken: ground.installation.token })
  guest = await startWebGuest()
  edge = await startSyntheticAgent(ground.installation, {
    name: 'edge',
    labels: { kind: 'edge' },
    timings: { heartbeat: 200 },
    environment: {
      HEARTH_INGRESS_DOMAIN: 'ona.localhost',
      HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort()}`,
      HEARTH_INGRESS_HTTP_LISTEN: 'none',
      HEARTH_INGRESS_STOPS: 'true',
      HEARTH_SYNTHETIC_PORTS: `3000=127.0.0.1:${guest.port},4000=127.0.0.1:${guest.port}`,
    },
  })
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  await ground.native.environmentClasses.create({
    name: 'edge',
    spec: { ...size, runnerSelector: { kind: 'edge' } },
  })
  projectId = await ground.project('edge')
}, 60_000)
afterAll(async () => {
  await edge?.[Symbol.asyncDispose]()
  await guest?.[Symbol.asyncDispose]()
  await ground?.[Symbol.asyncDispose]()
})

const port = (number: number, admission: AdmissionLevel) => ({
  port: number,
  admission,
  name: `web-${number}`,
})

test('a port has an address, which lets in everybody, or who has its token', async () => {
  const client = ground.connect(EnvironmentService)
  const ports = [port(3_000, AdmissionLevel.EVERYONE), port(4_000, AdmissionLevel.CREATOR_ONLY)]
  const { environment } = await client.createEnvironmentFromProject({ projectId, spec: { ports } })
  const environmentId = environment?.id ?? ''
  expect(environment?.spec?.ports).toMatchObject(ports)
  const state = new EnvironmentState(ona, environmentId)
  const urls = [await state.waitForPortUrl(3_000), await state.waitForPortUrl(4_000)] as const
  await state.close()
  const ca = readFileSync(join(edge.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')
  expect(await visited(urls[0], ca)).toBe(200)
  expect(await visited(urls[1], ca)).toBe(401)
  const { accessToken } = await client.createPortAccessToken({ environmentId, port: 4_000 })
  // Its host learns of it by an order.
  await eventually(async () => (await visited(urls[1], ca, accessToken)) === 200, {
    timeoutMilliseconds: 20_000,
  })
  expect((await client.allowPortAccess({ environmentId, port: 4_000 })).allowed).toBe(true)
  expect((await client.allowPortAccess({ environmentId, port: 5_000 })).allowed).toBe(false)
  await expect(client.createPortAccessToken({ environmentId, port: 3_000 })).rejects.toThrow(
    /without a token/,
  )
  await expect(client.createPortAccessToken({ environmentId, port: 5_000 })).rejects.toThrow(
    /has no port 5000/,
  )
})

/** The status of its answer. */
async function visited(url: string, ca: string, token?: string): Promise<number> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return (await visit(url, ca, { headers })).status
}

test('the ports of an environment are replaced by those that are given, and a route of somebody else’s stays', async () => {
  const client = ground.connect(EnvironmentService)
  const { environment } = await client.createEnvironmentFromProject({ projectId })
  const environmentId = environment?.id ?? ''
  await ground.native.routes.create({ name: 'my-own', spec: { environment: environmentId, port: 9_000 } })
  const update = (...ports: ReturnType<typeof port>[]) =>
    client.updateEnvironment({ environmentId, spec: { ports } })
  const now = async () => {
    const routes = await ground.native.routes.listAll({})
    return routes
      .filter(({ spec }) => spec.environmentId === environmentId && spec.desired === 'open')
      .map(({ spec }) => `${spec.port} ${spec.access}`)
      .sort()
  }
  await update(port(3_000, AdmissionLevel.CREATOR_ONLY), port(4_000, AdmissionLevel.EVERYONE))
  expect(await now()).toEqual(['3000 token', '4000 public', '9000 private'])
  await update(port(3_000, AdmissionLevel.EVERYONE))
  expect(await now()).toEqual(['3000 public', '9000 private'])
  const wrong = await ona.environments
    .update({ environmentId, spec: { ports: [{ port: 80, name: 'low' }] } })
    .catch((thrown: unknown) => thrown)
  expect(wrong).toBeInstanceOf(APIError)
  expect((wrong as APIError).message).toContain('ports')
})
