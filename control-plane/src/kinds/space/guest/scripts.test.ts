import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import {
  cronCommand,
  healthCommand,
  prepareScript,
  processCommand,
  releaseScript,
  removeSpaceScript,
  setUpScript,
  switchScript,
  tidyScript,
} from './index.ts'
import { releaseSite } from './web-server.ts'

const space = {
  type: 'production',
  user: 'app-production',
  folder: '/srv/app/production',
  port: 8_081,
} as const
const releaseId = '01936d1a-0000-7000-8000-000000000001'
const parts = (['python3', 'nodejs'] as const).flatMap((runtime) => [
  { runtime, database: null, cache: null },
  { runtime, database: 'postgres' as const, cache: 'redis' as const },
])
const web = { name: 'web', instance: 1, port: 8_000 }

test.each(parts)(
  'each script of an app of %o is one that bash can read, and stays below what a process may say',
  (app) => {
    const release = { space, app, releaseId }
    const scripts = [
      setUpScript(app, [space]),
      prepareScript({ release, archivePath: `/srv/it's.zip`, unpackedBytes: 1, variables: {} }),
      releaseScript(release, 'true', {}),
      processCommand(release, { ...web, command: 'true', variables: {} }),
      healthCommand(release, { ...web, path: '/health' }),
      healthCommand(release, { ...web, path: null }),
      switchScript(release, []),
      switchScript(release, [
        { ...web, path: '/' },
        { ...web, instance: 2, path: '/' },
        { ...web, name: 'api', path: '/api' },
      ]),
      cronCommand(app, space, 'true', {}),
      tidyScript(space, []),
      tidyScript(space, [releaseId]),
      removeSpaceScript(space),
    ]
    for (const script of scripts) {
      execFileSync('bash', ['-n'], { input: script })
      expect(Buffer.byteLength(script)).toBeLessThan(12 * 1024)
    }
  },
)

test('nothing is asked for that an app has no part of', () => {
  const script = setUpScript({ runtime: 'nodejs', database: null, cache: null }, [space])
  expect(script).not.toMatch(/postgres|psql|redis|python3/)
})

test('a machine that lacks programs is told which, and what has them', () => {
  const script = setUpScript({ runtime: 'nodejs', database: null, cache: null }, [space])
  const lacking = script.replaceAll(
    /^for program in .*$/gm,
    'for program in bash no-such-program neither-this; do',
  )
  expect(() => execFileSync('bash', ['-c', lacking], { stdio: 'pipe' })).toThrow(
    'lacks what its web app needs: no-such-program neither-this. Machines of the image debian-12-web have it',
  )
})

test('requests go to the process of the longest path, and to none where no process serves the path', () => {
  const servers = '  server 10.213.0.2:8000;\n'
  const site = releaseSite(space, [
    { process: 'web', path: '/shop', servers },
    { process: 'api', path: '/shop/api/', servers },
  ])
  expect(site.split('\n').filter((line) => line.includes('location'))).toEqual([
    '  location @unavailable {',
    '  location = "/shop" { proxy_pass http://hearth-app-production-web; }',
    '  location "/shop/" { proxy_pass http://hearth-app-production-web; }',
    '  location "/shop/api/" { proxy_pass http://hearth-app-production-api; }',
    '  location / {',
  ])
})

test.each(['/a"b', '/a;b', '/a b', '/a\nb', 'a', '/{x}', '/a\\b'])(
  '%j is no path for the web server',
  (path) => {
    expect(() => releaseSite(space, [{ process: 'web', path, servers: '' }])).toThrow('no path of requests')
  },
)
