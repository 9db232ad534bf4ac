import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HearthClient } from '@hearth/client'
import { type Session, sessionLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'

let installation: Installation
let client: HearthClient
beforeAll(async () => {
  installation = await startInstallation()
  client = installation.client
})
afterAll(() => installation?.[Symbol.asyncDispose]())

const file = 'hearth.yaml'
const newName = () => `s-${newId()}`.slice(0, 40)
const openCi = (leaseSeconds = 600) =>
  client.sessions.create({
    name: newName(),
    spec: { file, exitCondition: 'ci' },
    processId: 42,
    leaseSeconds,
  })
const until = (id: string, holds: (session: Session) => boolean) =>
  eventually(
    async () => {
      const session = await client.sessions.get(id)
      return holds(session) ? session : null
    },
    { timeoutMilliseconds: 30_000 },
  )
const states = ({ status }: Session) =>
  Object.fromEntries(status.targets.map(({ name, state }) => [name, state.kind]))

async function newMember(): Promise<HearthClient> {
  const { secret } = await client.tokens.create({ name: newName(), roles: ['member'] })
  return new HearthClient({ url: installation.url, token: secret })
}

describe('a ci session that its caller reports on', () => {
  test('is done when all is well, and its changes are events, numbered one after another', async () => {
    const { metadata } = await openCi()
    const id = metadata.id
    const begun = await client.sessions.report(id, [
      { name: `(${file}):update`, state: { kind: 'terminated' } },
      { name: 'claim:update', resources: ['shop'], state: { kind: 'active' } },
      { name: 'push:update', state: { kind: 'waiting', reason: 'dependency', message: 'claim:update' } },
    ])
    expect(begun.status).toMatchObject({ phase: 'open', processId: 42, done: false, error: null })
    expect(states(begun)).toEqual({
      [`(${file}):update`]: 'terminated',
      'claim:update': 'active',
      'push:update': 'waiting',
    })
    await client.sessions.report(id, [{ name: 'claim:update', state: { kind: 'terminated' } }])
    await client.sessions.report(id, [{ name: 'push:update', state: { kind: 'active' } }])
    const ended = await client.sessions.report(id, [{ name: 'push:update', state: { kind: 'terminated' } }])
    expect(ended.status).toMatchObject({
      phase: 'ended',
      done: true,
      error: null,
      failure: null,
      leaseEndsAt: null,
      deadline: null,
    })
    await expect(
      client.sessions.report(id, [{ name: 'late:update', state: { kind: 'active' } }]),
    ).rejects.toMatchObject({ code: 'conflict' })
    const events = await eventually(
      async () => {
        const { items } = await client.events.list({ kind: 'Session', resourceId: id, after: 0 })
        return items.length >= 5 ? items : null
      },
      { timeoutMilliseconds: 10_000 },
    )
    const seen = events.map(({ resource }) => (resource as unknown as Session).status)
    expect(seen.map(({ done }) => done)).toEqual([...seen.slice(1).map(() => false), true])
    const revisions = seen.map(({ revision }) => revision)
    expect(revisions).toEqual(revisions.map((_, index) => (revisions[0] ?? 0) + index))
  })

  test('is done with the error of the first that fails', async () => {
    const { metadata } = await openCi()
    const { status } = await client.sessions.report(metadata.id, [
      { name: `(${file}):update`, state: { kind: 'terminated' } },
      { name: 'b:update', state: { kind: 'terminated', error: 'second' } },
      { name: 'a:update', state: { kind: 'terminated', error: 'first' } },
    ])
    expect(status).toMatchObject({ phase: 'ended', done: true, error: 'first' })
  })

  test('takes as long as it may, by the clock', async () => {
    const { metadata } = await client.sessions.create({
      spec: { file, exitCondition: 'ci', ci: { timeoutSeconds: 2 } },
    })
    await client.sessions.report(metadata.id, [
      { name: `(${file}):update`, state: { kind: 'terminated' } },
      { name: 'claim:update', state: { kind: 'active' } },
    ])
    const { status } = await until(metadata.id, ({ status: now }) => now.done)
    expect(status.error).toBe('Timeout after 2s: 1 resources not ready (claim:update)')
  })

  test('gives a server as long as it may to be ready', async () => {
    const { metadata } = await client.sessions.create({
      spec: { file, exitCondition: 'ci', ci: { readinessTimeoutSeconds: 1 } },
    })
    await client.sessions.report(metadata.id, [
      { name: `(${file}):update`, state: { kind: 'terminated' } },
      { name: 'web:serve', type: 'server', state: { kind: 'active' } },
    ])
    const { status } = await until(metadata.id, ({ status: now }) => now.done)
    expect(status.error).toBe('Readiness timeout after 1s: target web:serve not ready')
  })
})

describe('a caller', () => {
  test('that goes silent ends its session, with an error that says so', async () => {
    const { metadata } = await openCi(5)
    await client.sessions.report(metadata.id, [
      { name: `(${file}):update`, state: { kind: 'terminated' } },
      { name: 'claim:update', state: { kind: 'active' } },
    ])
    const ended = await until(metadata.id, ({ status }) => status.phase === 'ended')
    expect(ended.status).toMatchObject({
      done: true,
      error: expect.stringContaining('its caller went silent'),
      failure: { code: 'caller_silent' },
    })
    expect(states(ended)['claim:update']).toBe('terminated')
  })

  test('keeps it open by its renewals, of which nobody else is told', async () => {
    const { metadata, status } = await openCi(5)
    const renewed = await client.sessions.renew(metadata.id, { leaseSeconds: 600 })
    expect(renewed.status.revision).toBe(status.revision)
    expect(Date.parse(renewed.status.leaseEndsAt ?? '')).toBeGreaterThan(Date.parse(status.leaseEndsAt ?? ''))
    const shorter = await client.sessions.renew(metadata.id, { leaseSeconds: 5 })
    expect(shorter.status.phase).toBe('open')
    await until(metadata.id, ({ status: now }) => now.phase === 'ended')
  })

  test('may detach itself from a ci session, and not from a manual one', async () => {
    const { metadata } = await openCi(5)
    const detached = await client.sessions.update(metadata.id, { spec: { detached: true } })
    expect(detached.status).toMatchObject({ phase: 'open', leaseEndsAt: null })
    const manual = await client.sessions.create({ spec: { file } })
    await expect(
      client.sessions.update(manual.metadata.id, { spec: { detached: true } }),
    ).rejects.toMatchObject({ code: 'conflict' })
  })

  test('speaks for its own sessions only; ending one is for everybody who changes things', async () => {
    const [one, other] = [await newMember(), await newMember()]
    const { metadata } = await one.sessions.create({ spec: { file, exitCondition: 'ci' } })
    const report = [{ name: 'a:update', state: { kind: 'active' as const } }]
    await expect(other.sessions.report(metadata.id, report)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(other.sessions.renew(metadata.id)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(client.sessions.report(metadata.id, report)).resolves.toBeDefined()
    const { status } = await other.sessions.end(metadata.name)
    expect(status).toMatchObject({
      phase: 'ended',
      done: true,
      error: 'it was ended before all its targets were well',
    })
  })
})

test('a manual session shows the pools of its project, which it may learn later, and ends when it is told', async () => {
  const name = newName()
  const opened = await client.sessions.create({ spec: { file } })
  const { metadata } = opened
  await client.sessions.report(metadata.id, [{ name: `(${file}):update`, state: { kind: 'active' } }])
  await client.apply({ apiVersion: 'hearth/v1', name, warmPools: [{ min: 0 }] })
  const told = await client.sessions.update(metadata.id, { spec: { project: name } })
  expect(states(told)).toEqual({ [`(${file}):update`]: 'active', [`${name}-small:update`]: 'terminated' })
  const ended = await client.sessions.end(metadata.id)
  expect(ended.status).toMatchObject({ phase: 'ended', done: false, error: null, failure: null })
  await expect(client.sessions.update(metadata.id, { spec: { desired: 'open' } })).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('a session follows the machine of a claim that it learns of, and ends when the claim is given back', async () => {
  const name = newName()
  await client.apply({ apiVersion: 'hearth/v1', name, warmPools: [{ min: 0 }] })
  const claim = await client.claims.create({ spec: { project: name, publicKey: newPublicKey() } })
  const { metadata } = await openCi()
  await client.sessions.update(metadata.id, { spec: { project: name, claim: claim.metadata.name } })
  await client.claims.release(claim.metadata.id)
  const { status } = await until(metadata.id, ({ status: now }) => now.done)
  expect(status.error).toBe('the machine cannot be used: its claim was released')
})

describe('what a caller may report is bounded', () => {
  const many = (count: number, prefix = 't') =>
    Array.from({ length: count }, (_, index) => ({
      name: `${prefix}${index}:update`,
      state: { kind: 'waiting' as const },
    }))

  test('in number, in one report and over all of them', async () => {
    const { metadata } = await openCi()
    await expect(client.sessions.report(metadata.id, many(sessionLimits.targets + 1))).rejects.toMatchObject({
      code: 'invalid',
    })
    const full = await client.sessions.report(metadata.id, many(sessionLimits.targets))
    expect(full.status.targets).toHaveLength(sessionLimits.targets)
    await expect(client.sessions.report(metadata.id, many(1, 'more'))).rejects.toMatchObject({
      code: 'unprocessable',
    })
    expect((await client.sessions.get(metadata.id)).status.revision).toBe(full.status.revision)
  })

  test('in bytes, of one and of all', async () => {
    const { metadata } = await openCi()
    const failing = (error: string, count = 1) =>
      many(count).map(({ name }) => ({ name, state: { kind: 'terminated' as const, error } }))
    await expect(
      client.sessions.report(metadata.id, failing('x'.repeat(sessionLimits.errorBytes + 1))),
    ).rejects.toMatchObject({ code: 'invalid' })
    await expect(
      client.sessions.report(metadata.id, failing('x'.repeat(sessionLimits.errorBytes), 80)),
    ).rejects.toMatchObject({ code: 'too_large' })
    await expect(client.sessions.report(metadata.id, [...many(1), ...many(1)])).rejects.toMatchObject({
      code: 'invalid',
    })
    expect((await client.sessions.get(metadata.id)).status.targets).toEqual([])
  })
})

test('names are unique, also of those that have ended, until they are forgotten', async () => {
  const name = newName()
  const make = () => client.sessions.create({ name, spec: { file } })
  const { metadata } = await make()
  await expect(make()).rejects.toMatchObject({ code: 'conflict' })
  await client.sessions.end(name)
  await expect(make()).rejects.toMatchObject({ code: 'conflict' })
  await client.sessions.delete(name)
  expect((await make()).metadata.id).not.toBe(metadata.id)
})

const program = join(import.meta.dirname, '../../packages/cli/src/main.ts')
async function hearth(...words: string[]): Promise<string> {
  const { url, token, folder } = installation
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, ...words], {
    env: { ...process.env, HEARTH_URL: url, HEARTH_TOKEN: token, HEARTH_STATE: folder },
  })
  return stdout
}

test('hearth session lists, shows and ends them', async () => {
  const { metadata } = await openCi()
  await client.sessions.report(metadata.id, [
    { name: `(${file}):update`, state: { kind: 'terminated' } },
    { name: 'web:serve', type: 'server', state: { kind: 'active', ready: true } },
    { name: 'claim:update', state: { kind: 'waiting', reason: 'machine' } },
  ])
  expect(await hearth('session', 'list')).toMatch(new RegExp(`^${metadata.name} .* ci +open +3 +- `, 'm'))
  const shown = await hearth('session', 'show', metadata.name)
  expect(shown).toMatch(/^Exit condition: +ci$/m)
  expect(shown).toMatch(/^claim:update +waiting +machine$/m)
  expect(shown).toMatch(/^web:serve +ready /m)
  expect(await hearth('session', 'end', metadata.name)).toBe(`session ${metadata.name} has ended\n`)
  expect(await hearth('session', 'list')).toMatch(
    new RegExp(`^${metadata.name} .* ended +3 +it was ended`, 'm'),
  )
})

test('hearth up is a session, which shows its pools and ends with it', async () => {
  const name = newName()
  const path = join(installation.folder, `${name}.yaml`)
  writeFileSync(path, `apiVersion: hearth/v1\nname: ${name}\nwarmPools:\n  - min: 0\n`)
  expect(await hearth('up', '-f', path)).toContain(`ready: hearth claim ${name}`)
  const { metadata } = await client.projects.get(name)
  const [session] = (await client.sessions.list({ projectId: metadata.id })).items
  expect(session).toMatchObject({
    spec: { file: path, exitCondition: 'manual' },
    status: { phase: 'ended', done: false, error: null, processId: expect.any(Number), failure: null },
  })
  expect(session === undefined ? {} : states(session)).toEqual({
    [`(${name}.yaml):update`]: 'terminated',
    [`${name}-small:update`]: 'terminated',
  })
  await client.sessions.delete(session?.metadata.id ?? '')
  // What was wrong is told there too.
  writeFileSync(path, `apiVersion: hearth/v1\nname: ${name}\nwarmPools:\n  - environmentClass: none\n`)
  await expect(hearth('up', '-f', path)).rejects.toThrow('there is no environment class none')
  const failed = (await client.sessions.list({})).items.find(({ spec }) => spec.file === path)
  expect(failed?.status.targets[0]?.state).toMatchObject({ kind: 'terminated', error: expect.any(String) })
})
