import {
  type Failure,
  type SnapshotDeletion,
  type SnapshotHolder,
  type SnapshotPhase,
  type SnapshotStatus,
  snapshotPhases,
} from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { explain, type SnapshotSight } from './why.ts'

const at = '2026-01-01T12:00:00.000Z'
const holder: SnapshotHolder = {
  runnerId: 'r',
  runner: 'rack-1',
  phase: 'present',
  unreachable: false,
  progress: null,
  keptBy: [],
  failure: null,
  copiedFrom: null,
}
const failure: Failure = { code: 'disk_full', message: 'the host has 1 MiB left' }
const deleted = (reason: SnapshotDeletion['reason']): SnapshotDeletion => ({ reason, principalId: null, at })

interface Change extends Partial<SnapshotStatus> {
  wanted?: boolean
}

function sight(
  phase: SnapshotPhase,
  { wanted = true, ...status }: Change = {},
  around: Partial<SnapshotSight> = {},
): SnapshotSight {
  const shown = {
    spec: { memory: wanted },
    status: {
      phase,
      memory: { kept: true, reason: null },
      holders: [holder],
      volumesLeftOut: [],
      readyAt: at,
      deletion: null,
      failure: null,
      deadline: at,
      ...status,
    },
  }
  return {
    snapshot: shown as unknown as SnapshotSight['snapshot'],
    phaseSince: new Date(at),
    environment: 'shop-1',
    uncopied: null,
    users: [],
    names: new Map(),
    ...around,
  }
}
const sentence = (...given: Parameters<typeof sight>) => explain(sight(...given)).sentence
const evidence = (...given: Parameters<typeof sight>) =>
  explain(sight(...given)).evidence.map(({ what }) => what)

test.each(snapshotPhases)('a snapshot that is %s says so in words, and since when', (phase) => {
  const { sentence: said, evidence: why } = explain(sight(phase, { deletion: deleted('requested'), failure }))
  expect(said).not.toMatch(/undefined|null|\[object/)
  expect(why[0]).toEqual({ what: `it is ${phase} since`, at })
})

test('one of a machine with volumes says that they are not in it', () => {
  const data = { name: 'data', mountPath: '/data' }
  expect(sentence('ready', { volumesLeftOut: [data] })).toContain(
    'of environment shop-1, without its volume (data at /data), in whose place is an empty folder; environments start',
  )
  expect(sentence('ready', { volumesLeftOut: [data, { name: 'logs', mountPath: '/logs' }] })).toContain(
    'without its volumes (data at /data, logs at /logs)',
  )
})

describe('one that is being made', () => {
  test('names the runner and the machine, and when it fails', () => {
    const pending = explain(sight('pending', { holders: [{ ...holder, phase: 'pending' }] }))
    expect(pending.sentence).toBe('it waits for rack-1 to freeze environment shop-1')
    expect(pending.next).toContain('it fails unless that has begun')
    const progress = { doneBytes: 10, totalBytes: 40 }
    const creating = sight('creating', { holders: [{ ...holder, phase: 'creating', progress }] })
    expect(explain(creating).sentence).toBe('rack-1 freezes environment shop-1')
    expect(explain(creating).evidence[1]?.what).toBe('rack-1 is at creating (10 of 40 bytes)')
  })

  test('of a machine that is gone from the record says that', () => {
    expect(sentence('creating', {}, { environment: null })).toContain(
      'an environment that is not on record any more',
    )
  })
})

describe('one that is ready', () => {
  test('says what it holds, where machines start from it, and what uses it', () => {
    const users = ['environment shop-2', 'prebuild shop-small']
    expect(sentence('ready', {}, { users })).toBe(
      'it holds the disk and the memory of environment shop-1; environments start from it on rack-1',
    )
    expect(evidence('ready', {}, { users })).toContain('used by environment shop-2, prebuild shop-small')
  })

  test('says why it has no memory, but not where none was asked for', () => {
    const memory = { kept: false, reason: 'the machine is on a bridge' }
    expect(sentence('ready', { memory })).toContain('the disk alone (the machine is on a bridge)')
    expect(sentence('ready', { memory: null, wanted: false })).toContain('it holds the disk of environment')
  })

  test('whose runner is silent says that nothing starts from it', () => {
    const holders = [{ ...holder, unreachable: true }]
    expect(sentence('ready', { holders })).toContain('nothing starts from it now: rack-1 is silent')
    expect(evidence('ready', { holders })).toContain('rack-1 holds it, and is silent')
  })

  test('is where it is reachable, though another holder is silent', () => {
    const holders = [holder, { ...holder, runner: 'rack-2', unreachable: true }]
    expect(sentence('ready', { holders })).toMatch(/environments start from it on rack-1$/)
  })

  test('that no runner has whole says so, and calls none silent', () => {
    const holders = [{ ...holder, phase: 'copying' as const }]
    expect(sentence('ready', { holders })).toMatch(/nothing starts from it now: no runner has it whole$/)
  })
})

test('one that failed says the cause, and its runner’s', () => {
  const holders = [{ ...holder, phase: 'failed' as const, failure }]
  const seen = explain(sight('failed', { failure, holders }))
  expect(seen.sentence).toContain('the host has 1 MiB left')
  expect(seen.evidence[1]?.what).toBe('rack-1 is at failed: the host has 1 MiB left')
  expect(seen.next).toContain('hearth snapshot delete')
})

describe('one that is being deleted', () => {
  const going = (keptBy: string[], reason: SnapshotDeletion['reason'] = 'requested') => ({
    deletion: deleted(reason),
    holders: [{ ...holder, phase: 'deleting' as const, keptBy }],
  })

  test('names what still stands on its disk, each once, by name where that is known', () => {
    const names = new Map([['one', 'environment shop-1']])
    const kept = explain(sight('deleting', going(['one', 'other', 'one']), { names }))
    expect(kept.sentence).toContain('where environment shop-1, other still stand on its disk')
    expect(kept.next).toContain('as soon as nothing stands on it')
  })

  test('waits for its runners, and says when they are asked again', () => {
    const seen = explain(sight('deleting', going([])))
    expect(seen.sentence).toBe(
      'it is being deleted because somebody deleted it, and waits for rack-1 to remove it',
    )
    expect(seen.next).toContain('its runners are asked again')
  })

  test.each([
    ['requested', 'somebody deleted it'],
    ['project_deleted', 'its project was deleted'],
    ['too_many', 'its project keeps no more checkpoints of one environment'],
    ['too_old', 'its project keeps checkpoints no longer'],
    ['unused', 'none of them uses it any more'],
  ] as const)('says why: %s', (reason, words) => {
    expect(sentence('deleting', going([], reason))).toContain(words)
    expect(sentence('deleted', { deletion: deleted(reason), holders: [] })).toContain(words)
  })
})

test('copies for other runners are told, and why there can be none', () => {
  const coming = { ...holder, runner: 'west', phase: 'copying' as const, copiedFrom: 'north' }
  const progress = { doneBytes: 1, totalBytes: 4 }
  expect(evidence('ready', { holders: [holder, { ...coming, progress }] })).toContain(
    'west copies it from north (1 of 4 bytes)',
  )
  const waiting = { ...coming, phase: 'pending' as const, copiedFrom: null }
  expect(evidence('ready', { holders: [holder, waiting] })).toContain('west waits to copy it')
  const flattened = [
    { ...holder, progress },
    { ...waiting, copiedFrom: 'rack-1' },
  ]
  expect(evidence('ready', { holders: flattened })).toEqual(
    expect.arrayContaining([
      'rack-1 holds it, and makes it stand on the image alone (1 of 4 bytes)',
      'west waits to copy it from rack-1',
    ]),
  )
  const uncopied = 'HEARTH_LAYERS_ADDRESS is not set there'
  expect(evidence('ready', {}, { uncopied })).toContain(uncopied)
})
