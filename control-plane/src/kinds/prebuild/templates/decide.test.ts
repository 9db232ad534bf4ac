import { type Failure, type PrebuildTemplate, templateAttempts } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decideTemplates, failedTemplate, type SeenTemplate } from './decide.ts'

const failure: Failure = { code: 'disk_full', message: 'no room' }
const machine = (phase: NonNullable<SeenTemplate['machine']>['phase'], change = {}) => ({
  phase,
  going: false,
  unreachable: false,
  failure: null,
  ...change,
})
const snapshot = (phase: 'making' | 'ready' | 'failed', change = {}) => ({
  phase,
  going: false,
  memory: { kept: true, reason: null },
  failure: null,
  ...change,
})
const now = new Date('2026-01-01T12:00:00Z')
const template = (
  phase: PrebuildTemplate['phase'],
  change: Partial<PrebuildTemplate> = {},
): PrebuildTemplate => ({
  ...{ runnerId: 'a', phase, environmentId: 'machine', snapshotId: null, failure: null },
  ...{ failures: 0, retryAt: null },
  ...change,
})
const seen = (phase: PrebuildTemplate['phase'], change: Partial<SeenTemplate> = {}): SeenTemplate => ({
  template: template(phase),
  machine: null,
  snapshot: null,
  unusable: null,
  ...change,
})
const fail = (message: unknown, code: unknown = 'internal') => ({
  do: 'fail',
  runnerId: 'a',
  failure: expect.objectContaining({ code, message }),
})
const unkept = { memory: { kept: false, reason: 'the network is a bridge' } }

test.each<[string, SeenTemplate, object | null]>([
  ['boots', seen('booting', { machine: machine('provisioning') }), null],
  ['has booted', seen('booting', { machine: machine('running') }), { do: 'freeze', runnerId: 'a' }],
  ['is on a silent runner', seen('booting', { machine: machine('running', { unreachable: true }) }), null],
  ['failed', seen('booting', { machine: machine('failed', { failure }) }), fail('no room', 'disk_full')],
  [
    'was deleted',
    seen('booting', { machine: machine('running', { going: true }) }),
    fail(expect.stringContaining('deleted')),
  ],
  ['was stopped', seen('booting', { machine: machine('stopped') }), fail(expect.stringContaining('stopped'))],
  ['is frozen', seen('freezing', { snapshot: snapshot('making') }), null],
  ['was frozen', seen('freezing', { snapshot: snapshot('ready') }), { do: 'keep', runnerId: 'a' }],
  [
    'was frozen without memory',
    seen('freezing', { snapshot: snapshot('ready', unkept) }),
    fail('the network is a bridge', 'memory_unusable'),
  ],
  [
    'could not be frozen',
    seen('freezing', { snapshot: snapshot('failed', { failure }) }),
    fail('no room', 'disk_full'),
  ],
  ['is ready', seen('ready', { snapshot: snapshot('ready') }), null],
  [
    'could not be resumed',
    seen('ready', { snapshot: snapshot('ready'), unusable: 'another QEMU' }),
    fail('another QEMU', 'memory_unusable'),
  ],
  [
    'lost its snapshot',
    seen('ready', { snapshot: snapshot('ready', { going: true }) }),
    fail(expect.stringContaining('removed')),
  ],
  ['has failed', seen('failed'), null],
])('a template whose machine %s', (_, one, expected) => {
  expect(decideTemplates({ wantedRunnerIds: ['a'], templates: [one], now })).toEqual(expected)
  expect(decideTemplates({ wantedRunnerIds: [], templates: [one], now })).toEqual({
    do: 'drop',
    runnerId: 'a',
  })
})

test('each runner that wants one gets one, and none without room keeps another waiting', () => {
  const templates = [seen('failed')]
  expect(decideTemplates({ wantedRunnerIds: ['a', 'b', 'c'], templates, now })).toEqual({
    do: 'boot',
    runnerIds: ['b', 'c'],
  })
  expect(decideTemplates({ wantedRunnerIds: [], templates: [], now })).toBeNull()
  const due = { template: template('failed', { runnerId: 'b', retryAt: now.toISOString() }) }
  const booted = seen('booting', { machine: machine('running') })
  const wanted = { wantedRunnerIds: ['a', 'b', 'c'], templates: [seen('failed', due), booted], now }
  expect(decideTemplates(wanted)).toEqual({ do: 'freeze', runnerId: 'a' })
})

test('one that failed is tried again after pauses that double, and not for ever', () => {
  const pauses: (number | null)[] = []
  let one = template('booting')
  for (let attempt = 1; attempt <= templateAttempts; attempt += 1) {
    one = failedTemplate(one, failure, now)
    expect(one).toMatchObject({ phase: 'failed', failures: attempt, failure })
    pauses.push(one.retryAt === null ? null : (Date.parse(one.retryAt) - now.getTime()) / 60_000)
    const at = (milliseconds: number) => {
      const then = one.retryAt === null ? now : new Date(Date.parse(one.retryAt) + milliseconds)
      const templates = [seen('failed', { template: one })]
      return decideTemplates({ wantedRunnerIds: ['a'], templates, now: then })
    }
    expect(at(-1)).toBeNull()
    expect(at(0)).toEqual(attempt === templateAttempts ? null : { do: 'boot', runnerIds: ['a'] })
  }
  expect(pauses).toEqual([1, 2, 4, 8, null])
})
