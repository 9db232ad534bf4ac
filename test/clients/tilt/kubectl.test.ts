import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Ground, live, newName, openSession, startGround } from './ground.ts'
import { Kubectl, kubectlPrograms } from './kubectl.ts'

let ground: Ground
beforeAll(async () => {
  ground = await startGround()
})
afterAll(() => ground?.[Symbol.asyncDispose]())

const programs = kubectlPrograms()
test('there is a kubectl', () => {
  expect(programs).not.toEqual([])
})

describe.each(programs)('%s', (program) => {
  let kubectl: Kubectl
  beforeAll(() => {
    const { folder } = ground.installation
    kubectl = new Kubectl(program, ground.kubeconfigFile, mkdtempSync(join(folder, 'home-')))
  })

  test('finds the resource, by any of its names', async () => {
    const { stdout } = await kubectl.run('api-resources')
    expect(stdout).toMatch(/^sessions +tilt\.dev(\/v1alpha1)? +false +Session$/m)
    expect((await kubectl.run('api-versions')).stdout).toBe('tilt.dev/v1alpha1\n')
    const { metadata } = await openSession(ground.client)
    for (const word of ['sessions', 'session', 'sessions.tilt.dev', 'sessions.v1alpha1.tilt.dev'])
      expect((await kubectl.run('get', word, metadata.name, '-o', 'name')).stdout).toBe(
        `session.tilt.dev/${metadata.name}\n`,
      )
  })

  test('prints a list as a table with the columns of sessions', async () => {
    const [going, failed] = [await openSession(ground.client), await openSession(ground.client)]
    await live(ground.client, failed.metadata.name, 'exit code 3')
    await ground.client.sessions.report(going.metadata.name, [
      { name: '(hearth.yaml):update', state: { kind: 'terminated' } },
      { name: 'web:serve', type: 'server', state: { kind: 'active', ready: true } },
      { name: 'claim:update', state: { kind: 'active' } },
    ])
    const { stdout } = await kubectl.run('get', 'sessions')
    expect(stdout).toMatch(/^NAME +CONDITION +DONE +TARGETS +ERROR +AGE$/m)
    expect(stdout).toMatch(new RegExp(`^${going.metadata.name} +ci +false +2/3 +\\d+s$`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${failed.metadata.name} +ci +true +1/2 +exit code 3 +\\d+s$`, 'm'))
    const one = await kubectl.run('get', 'session', failed.metadata.name)
    expect(one.stdout.split('\n')).toHaveLength(3)
    const labelled = await kubectl.run('get', 'sessions', '--show-labels', '-l', 'app in (shop, site),!tier')
    expect(labelled.stdout).toMatch(new RegExp(`^${going.metadata.name} .* app=shop$`, 'm'))
    expect((await kubectl.run('get', 'sessions', '-l', 'app!=shop')).stderr).toContain('No resources found')
  })

  test('prints one as YAML, with every field', async () => {
    const { metadata } = await openSession(ground.client)
    await live(ground.client, metadata.name, 'exit code 3')
    const { stdout } = await kubectl.run('get', 'session', metadata.name, '-o', 'yaml')
    const micro = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(parse(stdout)).toEqual({
      apiVersion: 'tilt.dev/v1alpha1',
      kind: 'Session',
      metadata: {
        name: metadata.name,
        uid: metadata.id,
        generation: 1,
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        labels: { app: 'shop' },
      },
      spec: {
        tiltfilePath: '/home/me/shop/hearth.yaml',
        exitCondition: 'ci',
        ci: { timeout: '30m0s', readinessTimeout: '5m0s' },
      },
      status: {
        pid: 4_711,
        startTime: micro,
        done: true,
        error: 'exit code 3',
        targets: [
          {
            name: '(hearth.yaml):update',
            type: 'job',
            resources: [],
            state: { terminated: { startTime: micro, finishTime: micro } },
          },
          {
            name: 'test:update',
            type: 'job',
            resources: ['test'],
            state: { terminated: { startTime: micro, finishTime: micro, error: 'exit code 3' } },
          },
        ],
      },
    })
    expect((await kubectl.run('get', 'session', metadata.name.toUpperCase(), '-o', 'name')).stdout).toBe(
      `session.tilt.dev/${metadata.name}\n`,
    )
    const path = await kubectl.run('get', 'session', metadata.name, '-o', 'jsonpath={.status.error}')
    expect(path.stdout).toBe('exit code 3')
  })

  test('says of what is not there that it is not found', async () => {
    const { code, stderr } = await kubectl.run('get', 'session', 'nobody')
    expect([code, stderr]).toEqual([
      1,
      'Error from server (NotFound): sessions.tilt.dev "nobody" not found\n',
    ])
  })

  test('watches the whole life of sessions that pass and fail, in order and without a gap', async () => {
    const [passing, failing] = [newName(), newName()]
    const before = await openSession(ground.client)
    await using watching = kubectl.follow('get', 'sessions', '--watch', '--output-watch-events', '-o', 'json')
    await watching.until((text) => text.includes(before.metadata.name))
    await Promise.all(
      [
        [passing, null],
        [failing, 'exit code 3'],
      ].map(async ([name, error]) => {
        await openSession(ground.client, name as string)
        await live(ground.client, name as string, error ?? null)
      }),
    )
    await ground.client.sessions.delete(passing)
    const seen = () => eventsIn(watching.text())
    await watching.until(() => {
      const ofBoth = seen().filter(({ object }) => [passing, failing].includes(object.metadata.name))
      return ofBoth.some(({ type }) => type === 'DELETED') && ofBoth.length >= 11
    })
    const of = (name: string) => seen().filter(({ object }) => object.metadata.name === name)
    expect(of(failing).map(({ type }) => type)).toEqual(['ADDED', ...Array(4).fill('MODIFIED')])
    expect(of(passing).map(({ type }) => type)).toEqual(['ADDED', ...Array(4).fill('MODIFIED'), 'DELETED'])
    expect(of(failing).at(-1)?.object.status).toMatchObject({ done: true, error: 'exit code 3' })
    expect(of(passing).at(-1)?.object.status).toMatchObject({ done: true })
    expect(of(passing).at(-1)?.object.status).not.toHaveProperty('error')
    const versions = seen()
      .map(({ object }) => Number(object.metadata.resourceVersion))
      .filter((revision) => revision > Number(of(passing)[0]?.object.metadata.resourceVersion) - 1)
    expect(versions.slice(0, 11)).toEqual(versions.slice(0, 11).map((_, index) => (versions[0] ?? 0) + index))
  })

  test('watches one by its name, as a table', async () => {
    const { metadata } = await openSession(ground.client)
    await using watching = kubectl.follow('get', 'session', metadata.name, '--watch')
    await watching.until((text) => text.includes('0/0'))
    await openSession(ground.client)
    await live(ground.client, metadata.name, null)
    const text = await watching.until((printed) => /true +2\/2/.test(printed))
    const lines = text.trim().split('\n')
    expect(lines[0]).toMatch(/^NAME +CONDITION +DONE/)
    expect(lines.slice(1).every((line) => line.startsWith(metadata.name))).toBe(true)
  })

  test('is told to describe what there is', async () => {
    const { metadata } = await openSession(ground.client)
    const { code, stdout } = await kubectl.run('describe', 'session', metadata.name)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +Exit Condition: +ci$/m)
  })

  test.each([
    ['delete', ['delete', 'session', 'NAME']],
    ['patch', ['patch', 'session', 'NAME', '--type', 'merge', '-p', '{"spec":{"exitCondition":"manual"}}']],
    ['label', ['label', 'session', 'NAME', 'tier=one']],
  ])('is refused to %s one, and changes nothing', async (_, words) => {
    const { metadata, status } = await openSession(ground.client)
    const { code, stderr } = await kubectl.run(
      ...words.map((word) => (word === 'NAME' ? metadata.name : word)),
    )
    expect(code).toBe(1)
    expect(stderr).toContain('MethodNotAllowed')
    expect((await ground.client.sessions.get(metadata.id)).status.revision).toBe(status.revision)
  })

  test('is refused with another token, and trusts nobody but the authority in its kubeconfig', async () => {
    const { folder } = ground.installation
    const other = await kubectl.run('get', 'sessions', '--token', 'hearth_nobody')
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('You must be logged in')])
    const { clusters } = parse(ground.kubeconfig)
    const bare = new Kubectl(program, join(folder, 'none.yaml'), mkdtempSync(join(folder, 'home-')))
    const { server } = clusters[0].cluster
    const { stderr } = await bare.run(
      'get',
      'sessions',
      '--server',
      server,
      '--token',
      ground.installation.token,
    )
    expect(stderr).toContain('x509: certificate signed by unknown authority')
  })
})

interface WatchEvent {
  type: string
  object: {
    metadata: { name: string; resourceVersion: string }
    status: object
  }
}

/** The JSON documents that have been printed whole, each on one line or on several. */
function eventsIn(text: string): WatchEvent[] {
  return text
    .replace(/^}\n/gm, '}\u001e')
    .replace(/^({.*})\n/gm, '$1\u001e')
    .split('\u001e')
    .slice(0, -1)
    .map((document) => JSON.parse(document) as WatchEvent)
}
