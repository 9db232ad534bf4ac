import type { Failure, PrebuildTemplate } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decideTemplates, type SeenTemplate } from './decide.ts'

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
const seen = (phase: PrebuildTemplate['phase'], change: Partial<SeenTemplate> = {}): SeenTemplate => ({
  template: { runnerId: 'a', phase, environmentId: 'machine', snapshotId: null, failure: null },
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
])('a template whose machine %s', (_, template, expected) => {
  expect(decideTemplates({ wantedRunnerIds: ['a'], templates: [template] })).toEqual(expected)
  expect(decideTemplates({ wantedRunnerIds: [], templates: [template] })).toEqual({
    do: 'drop',
    runnerId: 'a',
  })
})

test('each runner that wants one gets one', () => {
  const templates = [seen('failed')]
  expect(decideTemplates({ wantedRunnerIds: ['a', 'b'], templates })).toEqual({ do: 'boot', runnerId: 'b' })
  expect(decideTemplates({ wantedRunnerIds: [], templates: [] })).toBeNull()
})
