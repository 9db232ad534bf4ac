import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('all faults are named at once', () => {
  const given = {
    HEARTH_AGENT_HOST: 'xen',
    HEARTH_VIRTUALIZATION: 'maybe',
    HEARTH_SYNTHETIC_FAILURES: 'create_vm:2,nonsense:0.1',
    HEARTH_HOST_SSH: 'nobody',
  }
  expect(() => readConfig(given)).toThrow(
    /HEARTH_AGENT_STATE[\s\S]*HEARTH_AGENT_HOST[\s\S]*HEARTH_VIRTUALIZATION[\s\S]*HEARTH_HOST_SSH[\s\S]*create_vm:2[\s\S]*nonsense/,
  )
})

test('another host needs a key and a pinned host key', () => {
  const given = { HEARTH_AGENT_STATE: '/s', HEARTH_IMAGES: '/i', HEARTH_HOST_SSH: 'root@host:2222' }
  expect(() => readConfig(given)).toThrow(/HEARTH_HOST_SSH_KEY_FILE[\s\S]*HEARTH_HOST_SSH_HOST_KEY/)
})

test('settings are read with their defaults', () => {
  const config = readConfig({
    HEARTH_AGENT_STATE: '/s',
    HEARTH_AGENT_HOST: 'synthetic',
    HEARTH_SYNTHETIC_FAILURES: 'create_vm:0.1, project_setup:1',
    HEARTH_AGENT_LISTEN: '127.0.0.1:9000',
  })
  expect(config.synthetic.failures).toEqual({ create_vm: 0.1, project_setup: 1 })
  expect(config.listen).toEqual({ host: '127.0.0.1', port: 9000 })
  expect(config.libvirt.guestAddress).toBe('127.0.0.1')
})

const libvirt = (settings: Record<string, string>) =>
  readConfig({ HEARTH_AGENT_STATE: '/s', HEARTH_IMAGES: '/i', ...settings }).libvirt.network

test('guests are isolated, with nothing opened and nothing closed, unless asked for', () => {
  expect(libvirt({})).toEqual({
    network: { kind: 'isolated' },
    allow: [],
    deny: [],
    nameServer: null,
    firstUser: null,
    forwarded: [],
  })
  expect(
    libvirt({
      HEARTH_GUEST_NETWORK: 'bridge:br0',
      HEARTH_GUEST_ALLOW: 'git=127.0.0.1:9418, cache=192.0.2.7:3142',
      HEARTH_GUEST_DENY: '10.0.0.0/8,192.0.2.7',
    }),
  ).toMatchObject({
    network: { kind: 'bridge', name: 'br0' },
    allow: [
      { name: 'git', host: '127.0.0.1', port: 9_418 },
      { name: 'cache', host: '192.0.2.7', port: 3_142 },
    ],
    deny: ['10.0.0.0/8', '192.0.2.7/32'],
  })
})

test.each([
  ['HEARTH_GUEST_NETWORK', 'nat'],
  ['HEARTH_GUEST_NETWORK', 'network'],
  ['HEARTH_GUEST_NETWORK', 'network:a/b'],
  ['HEARTH_GUEST_NETWORK', 'bridge:a-name-too-long-for-linux'],
  ['HEARTH_GUEST_NETWORK', 'user:x'],
  ['HEARTH_GUEST_ALLOW', '9418'],
  ['HEARTH_GUEST_ALLOW', 'git=127.0.0.1'],
  ['HEARTH_GUEST_ALLOW', 'git=127.0.0.1:99999'],
  ['HEARTH_GUEST_ALLOW', 'git=127.0.0.999:1'],
  ['HEARTH_GUEST_ALLOW', 'git"=127.0.0.1:1'],
  ['HEARTH_GUEST_ALLOW', 'a=127.0.0.1:1,a=127.0.0.1:2'],
  ['HEARTH_GUEST_ALLOW', 'a=127.0.0.1:1,b=127.0.0.2:1'],
  ['HEARTH_GUEST_DENY', '10.0.0.0/33'],
  ['HEARTH_GUEST_DENY', 'fd00::/8'],
  ['HEARTH_GUEST_DENY', '10.0.0.0/8; accept'],
  ['HEARTH_GUEST_NAME_SERVER', 'one.one.one.one'],
  ['HEARTH_GUEST_FIRST_USER', '0'],
])('refused: %s=%s', (name, value) => {
  expect(() => libvirt({ [name]: value })).toThrow(name)
})

test('routes are served below a domain, with certificates that fit it', () => {
  const ingress = (given: Record<string, string>) =>
    readConfig({ HEARTH_AGENT_STATE: '/s', HEARTH_AGENT_HOST: 'synthetic', ...given }).ingress
  expect(ingress({})).toBeNull()
  expect(ingress({ HEARTH_INGRESS_DOMAIN: 'hearth.localhost', HEARTH_INGRESS_HTTP_LISTEN: 'none' })).toEqual({
    base: 'hearth.localhost',
    https: { host: '0.0.0.0', port: 443 },
    http: null,
    authority: { kind: 'internal' },
    askPort: null,
    resolver: null,
    program: 'caddy',
    stopsWithAgent: false,
  })
  expect(ingress({ HEARTH_INGRESS_DOMAIN: 'apps.example.com' })).toMatchObject({
    authority: { kind: 'acme' },
  })
  expect(
    ingress({
      HEARTH_INGRESS_DOMAIN: 'apps.example.com',
      HEARTH_INGRESS_ASK_PORT: '19180',
      HEARTH_DOMAIN_RESOLVER: '10.0.0.53:53',
    }),
  ).toMatchObject({ askPort: 19_180, resolver: { host: '10.0.0.53', port: 53 } })
  expect(() => ingress({ HEARTH_INGRESS_DOMAIN: 'localhost' })).toThrow('HEARTH_INGRESS_DOMAIN')
  expect(() => ingress({ HEARTH_GUEST_PORTS: '1-9999' })).toThrow('HEARTH_GUEST_PORTS')
})
