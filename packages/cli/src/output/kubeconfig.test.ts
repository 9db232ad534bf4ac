import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { kubeconfig } from './kubeconfig.ts'

const access = {
  port: 7_071,
  hosts: ['localhost', '127.0.0.1', '::1', 'hearth.example.org'],
  certificateAuthority: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
}
const clusterFor = (url: string, given: Parameters<typeof kubeconfig>[1] = access) =>
  parse(kubeconfig({ url, token: 'hearth_secret' }, given, 'hearth')).clusters[0].cluster

test('it is complete: server, authority, token and what belongs together', () => {
  expect(parse(kubeconfig({ url: 'http://127.0.0.1:7070', token: 'hearth_secret' }, access, 'here'))).toEqual(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'here',
          cluster: {
            server: 'https://127.0.0.1:7071',
            'certificate-authority-data': Buffer.from(access.certificateAuthority).toString('base64'),
          },
        },
      ],
      users: [{ name: 'here', user: { token: 'hearth_secret' } }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'here' } }],
      'current-context': 'here',
    },
  )
})

test('a host that the certificate does not name is checked under one that it does', () => {
  expect(clusterFor('http://hearth.example.org:7070')).not.toHaveProperty('tls-server-name')
  expect(clusterFor('http://[::1]:7070')).toMatchObject({ server: 'https://[::1]:7071' })
  expect(clusterFor('http://[::1]:7070')).not.toHaveProperty('tls-server-name')
  expect(clusterFor('http://10.0.0.7:7070')).toMatchObject({
    server: 'https://10.0.0.7:7071',
    'tls-server-name': 'localhost',
  })
})

test('behind a proxy with TLS its address is used as it is; without any HTTPS it says what to do', () => {
  const none = { port: null, hosts: [], certificateAuthority: null }
  expect(clusterFor('https://hearth.example.org/', none)).toEqual({ server: 'https://hearth.example.org' })
  expect(() => clusterFor('http://127.0.0.1:7070', none)).toThrow('HEARTH_TLS_LISTEN')
})
