import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { IngressSettings } from '../settings.ts'
import { caddyConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-caddy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const settings: IngressSettings = {
  base: 'hearth.localhost',
  https: { host: '127.0.0.1', port: 8_443 },
  http: { host: '::1', port: 8_080 },
  authority: { kind: 'internal' },
  resolver: null,
  askPort: null,
  folder,
  program: 'caddy',
  stopsWithAgent: false,
}
const acme = {
  kind: 'acme',
  email: 'ops@example.com',
  directory: null,
  rootPath: null,
} as const
const configOf = (change: Partial<IngressSettings> = {}) =>
  JSON.parse(JSON.stringify(caddyConfig({ ...settings, ...change }, 19_180)))

test('what a client says of itself is taken out before the agent is asked', () => {
  const [served] = configOf().apps.http.servers.routes.routes
  const [first, check, guest] = served.handle
  expect(first.request.delete).toEqual(expect.arrayContaining(['X-Hearth-*', '*forwarded*']))
  expect(check.rewrite).toEqual({ method: 'GET', uri: '/check' })
  expect(guest).toMatchObject({
    flush_interval: 1_000_000,
    upstreams: [{ dial: '{http.reverse_proxy.header.X-Hearth-Upstream}' }],
  })
})

test('it takes orders on a socket of its own folder, and keeps what it has there', () => {
  const { admin, storage } = configOf()
  expect(admin).toEqual({
    listen: `unix/${folder}/admin.sock`,
    origins: ['hearth'],
    config: { persist: false },
  })
  expect(storage.root).toBe(`${folder}/data`)
})

test('one certificate of its own authority for the platform, and one for each other name that the agent knows', () => {
  const own = configOf().apps.tls
  expect(own.certificates.automate).toEqual(['*.hearth.localhost'])
  const issuers = [{ module: 'internal' }]
  expect(own.automation).toEqual({
    on_demand: { ask: 'http://127.0.0.1:19180/' },
    policies: [
      { subjects: ['*.hearth.localhost'], issuers },
      { on_demand: true, issuers },
    ],
  })
  const { tls, http } = configOf({ authority: acme, base: 'apps.example.com' }).apps
  expect(tls.automation).toEqual({
    on_demand: { ask: 'http://127.0.0.1:19180/' },
    policies: [{ on_demand: true, issuers: [{ module: 'acme', email: 'ops@example.com' }] }],
  })
  expect(http.servers.ask.listen).toEqual(['127.0.0.1:19180'])
})

test.each([
  ['with its own authority', {}],
  ['with ACME', { authority: acme, base: 'apps.example.com' }],
  ['without plain HTTP', { http: null }],
])('Caddy itself finds the configuration valid: %s', (_, change) => {
  const path = join(folder, 'caddy.json')
  writeFileSync(path, JSON.stringify(caddyConfig({ ...settings, ...change }, 19_180)))
  const { status, stderr } = spawnSync('caddy', ['validate', '--config', path], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
  expect(status, stderr).toBe(0)
})
