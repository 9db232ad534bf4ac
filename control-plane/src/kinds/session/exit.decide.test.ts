import type { SessionTarget } from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { decideExit, type ExitGround } from './exit.decide.ts'
import { ground, later, target } from './session.fixture.ts'

const file = target('(hearth.yaml):update', 'well')
const isOpen = { done: false, error: null }
const isWell = { done: true, error: null }
const because = (error: string) => ({ done: true, error })
const limits = { gracePeriodSeconds: null, timeoutSeconds: null, readinessTimeoutSeconds: null }

type Row = [promise: string, targets: SessionTarget[], expected: object, change?: Partial<ExitGround>]

describe.each<[rule: string, rows: Row[]]>([
  [
    '1: only what is known to end by itself does',
    [
      [
        'a manual session whose targets are well',
        [file, target('a', 'well')],
        isOpen,
        { exitCondition: 'manual' },
      ],
      [
        'a manual session with a failed one',
        [file, target('a', 'failed')],
        isOpen,
        { exitCondition: 'manual' },
      ],
      [
        'a manual session without its machine, long after',
        [file],
        isOpen,
        { exitCondition: 'manual', machineError: 'it is gone', now: later(100_000) },
      ],
      [
        'a condition of a newer version, whatever its targets are',
        [file, target('a', 'failed')],
        because('unsupported exit condition: twice'),
        { exitCondition: 'twice' },
      ],
    ],
  ],
  [
    '2: without its machine it is over',
    [
      [
        'before a failed target',
        [file, target('a', 'failed')],
        because('the machine cannot be used: disk full'),
        { machineError: 'disk full' },
      ],
      [
        'also when all is well',
        [file, target('a', 'well')],
        because('the machine cannot be used: disk full'),
        { machineError: 'disk full' },
      ],
    ],
  ],
  [
    '3: each target counts by its state',
    [
      ['one that is not asked to run is passed over', [file, target('a', 'none')], isWell],
      ['a disabled one too', [file, target('a', 'disabled')], isWell],
      ['one that waits is not well', [file, target('a', 'waiting')], isOpen],
      ['a job that runs is not well', [file, target('a', 'active')], isOpen],
      ['a job that says it is ready is not well either', [file, target('a', 'ready')], isOpen],
      ['a job that has ended is well', [file, target('a', 'well')], isWell],
      ['a server that is not ready is not well', [file, target('a', 'active', 'server')], isOpen],
      ['a server that is ready is well', [file, target('a', 'ready', 'server')], isWell],
      ['an error is the session’s', [file, target('a', 'failed')], because('exit code 3')],
      ['a tolerated error is tried again', [file, target('a', 'retrying', 'server')], isOpen],
      [
        'one beyond its grace period is an error',
        [file, target('a', 'exceeded', 'server')],
        because('exceeded grace period: crash'),
      ],
      [
        'the first error counts, in the order of the names',
        [file, target('a', 'waiting'), target('b', 'exceeded', 'server'), target('c', 'failed')],
        because('exceeded grace period: crash'),
      ],
      [
        'an error counts though others wait, run or are tried again',
        [file, target('a', 'retrying', 'server'), target('b', 'active'), target('c', 'failed')],
        because('exit code 3'),
      ],
      [
        'an error of the file’s alone is one',
        [target('(hearth.yaml):update', 'failed')],
        because('exit code 3'),
      ],
    ],
  ],
  [
    '4: all well and more than one is done',
    [
      ['the file alone is not enough', [file], isOpen],
      ['nothing at all is not enough', [], isOpen],
      [
        'jobs that ended and servers that are ready',
        [file, target('a', 'well'), target('b', 'ready', 'server'), target('c', 'disabled')],
        isWell,
      ],
      ['also when its time is over meanwhile', [file, target('a', 'well')], isWell, { now: later(100_000) }],
    ],
  ],
  [
    '5: a server is ready in time',
    [
      ['just before', [file, target('a', 'active', 'server')], isOpen, { now: later(299.999) }],
      [
        'from its start on, if it never was',
        [file, target('a', 'active', 'server')],
        because('Readiness timeout after 5m0s: target a not ready'),
        { now: later(300) },
      ],
      [
        'one that was ready has its time anew',
        [file, target('a', 'lapsed', 'server')],
        isOpen,
        { now: later(359) },
      ],
      [
        'but not for ever',
        [file, target('a', 'lapsed', 'server')],
        because('Readiness timeout after 5m0s: target a not ready'),
        { now: later(360) },
      ],
      ['a job may take longer', [file, target('a', 'active')], isOpen, { now: later(600) }],
      ['one that waits may too', [file, target('a', 'waiting', 'server')], isOpen, { now: later(600) }],
      [
        'without such a limit it may too',
        [file, target('a', 'active', 'server')],
        isOpen,
        { now: later(100_000), ci: limits },
      ],
      [
        'it counts before the limit of the session',
        [file, target('a', 'active', 'server')],
        because('Readiness timeout after 5m0s: target a not ready'),
        { now: later(1_800) },
      ],
    ],
  ],
  [
    '6: the session is done in time',
    [
      ['just before', [file, target('a', 'active')], isOpen, { now: later(1_799.999) }],
      [
        'and says what is missing',
        [
          file,
          target('a', 'active'),
          target('b', 'waiting'),
          target('c', 'retrying', 'server'),
          target('d', 'waiting'),
        ],
        because(
          'Timeout after 30m0s: 2 resources waiting (b,d), 1 resources not ready (a), 1 resources retrying (c)',
        ),
        { now: later(1_800) },
      ],
      [
        'the file alone',
        [file],
        because('Timeout after 30m0s: nothing was to be done'),
        { now: later(1_800) },
      ],
      ['without a limit it goes on', [file, target('a', 'active')], isOpen, { now: later(1e6), ci: limits }],
      ['without any limits too', [file, target('a', 'active')], isOpen, { now: later(1e6), ci: null }],
      [
        'of many it names ten',
        [file, ...Array.from({ length: 12 }, (_, index) => target(`t${index + 10}`, 'waiting'))],
        because(
          'Timeout after 30m0s: 12 resources waiting (t10,t11,t12,t13,t14,t15,t16,t17,t18,t19 and 2 more)',
        ),
        { now: later(1_800) },
      ],
    ],
  ],
])('rule %s', (_, rows) => {
  test.each(rows)('%s', (_promise, targets, expected, change = {}) => {
    expect(decideExit(ground(targets, change))).toMatchObject(expected)
  })
})

test('it says when time alone may change the answer', () => {
  const next = (targets: SessionTarget[], change: Partial<ExitGround> = {}) =>
    decideExit(ground(targets, change)).next
  expect(next([file, target('a', 'active', 'server')])).toEqual(later(300))
  expect(next([file, target('a', 'lapsed', 'server'), target('b', 'active')])).toEqual(later(360))
  expect(next([file, target('b', 'active')])).toEqual(later(1_800))
  expect(next([file, target('b', 'active')], { ci: null })).toBeNull()
  expect(next([file, target('b', 'well')])).toBeNull()
  expect(next([file], { exitCondition: 'manual' })).toBeNull()
})
