import { pipelineRuntimes } from '@hearth/contract'
import { expect, test } from 'vitest'
import { graceSeconds, runtimeShown, toldBy, wishOf } from './runtime.decide.ts'

test.each(pipelineRuntimes)('the status %s is taken as it is told', (status) => {
  expect(toldBy(JSON.stringify({ status, since: 'x', details: { a: 1 } }))).toEqual({
    runtime: status,
    details: { a: 1 },
  })
})

test.each([
  ['{"status":"flying"}', 'a status that is none'],
  ['{"status":7}', 'a status that is none'],
  ['{}', 'a status that is none'],
  ['[]', 'a line that is no JSON object of texts'],
  ['null', 'a line that is no JSON object of texts'],
  ['running', 'a line that is no JSON object of texts'],
  ['{"status":"running","details":"\\u0000"}', 'a line that is no JSON object of texts'],
  ['{"status":"running","details":{"\\ud800":1}}', 'a line that is no JSON object of texts'],
])('%s is told by a program that is unavailable, which says why', (line, what) => {
  expect(toldBy(line)).toEqual({
    runtime: 'unavailable',
    details: { reason: `its program told ${what}: ${line}` },
  })
})

const since = new Date('2026-11-30T12:00:00Z')
const later = (seconds: number) => new Date(since.getTime() + seconds * 1000)

test('it begins for a while after it has a machine, and is unavailable where it says nothing after that', () => {
  const silent = { told: null, silentRunner: null, since }
  expect(runtimeShown(silent, later(1))).toEqual({
    runtime: 'initializing',
    details: null,
    until: later(graceSeconds),
  })
  expect(runtimeShown(silent, later(graceSeconds))).toMatchObject({ runtime: 'unavailable', until: null })
})

test('of a silent host nothing is known, and what was told counts again when it is back', () => {
  const told = { runtime: 'paused' as const, details: { rows: 3 } }
  expect(runtimeShown({ told, silentRunner: 'rack-1', since }, later(9))).toMatchObject({
    runtime: 'unavailable',
    details: { reason: 'nothing is heard of runner rack-1' },
  })
  expect(runtimeShown({ told, silentRunner: null, since }, later(9))).toEqual({ ...told, until: null })
})

test('a wish is short, and has what is asked for only', () => {
  const bootstrap = { silentBootstrap: false, concurrentBootstrap: false }
  const wish = { desired: 'running', bootstrapPolicy: 'allow', bootstrap, isApproved: false } as const
  expect(wishOf(wish)).toBe('{"desired":"running","bootstrap":"allow","isApproved":false}')
  expect(wishOf({ ...wish, bootstrap: { ...bootstrap, silentBootstrap: true }, isApproved: true })).toBe(
    '{"desired":"running","bootstrap":"allow","isApproved":true,"isSilent":true}',
  )
})
