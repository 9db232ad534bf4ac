import {
  type Failure,
  type Prebuild,
  type PrebuildPhase,
  type PrebuildStatus,
  prebuildPhases,
  prebuildSchema,
} from '@hearth/contract'
import { newId, spokenTime } from '@hearth/foundation'
import { describe, expect, test } from 'vitest'
import { explain, type PrebuildSight } from './why.ts'

const id = newId()
const at = '2026-01-01T00:00:00.000Z'

function prebuild(phase: PrebuildPhase, status: Partial<PrebuildStatus> = {}): Prebuild {
  return prebuildSchema.parse({
    kind: 'Prebuild',
    metadata: {
      id,
      organizationId: id,
      name: 'shop-small-1',
      creator: null,
      createdAt: at,
      updatedAt: at,
      labels: {},
    },
    spec: {
      projectId: id,
      environmentClassId: id,
      desiredPhase: 'completed',
      trigger: { kind: 'push', by: 'ada', ref: 'refs/heads/main', commit: '1481a2d' },
      executorId: null,
      timeoutSeconds: 3_600,
      incremental: true,
      branch: null,
    },
    specVersion: 1,
    status: {
      phase,
      environmentId: null,
      snapshotId: null,
      basedOnId: null,
      templates: [],
      warnings: [],
      progress: null,
      bytes: null,
      planDigest: 'now',
      failedBoots: 0,
      unexplainedBoots: 0,
      steps: [],
      startedAt: null,
      completedAt: null,
      observedSpecVersion: 1,
      failure: null,
      deadline: null,
      ...status,
    },
    statusVersion: 1,
  })
}
const sight = (
  phase: PrebuildPhase,
  status: Partial<PrebuildStatus> = {},
  change: Partial<PrebuildSight> = {},
) => ({
  prebuild: prebuild(phase, status),
  phaseSince: new Date(at),
  project: 'shop',
  environmentClass: 'small',
  before: null,
  environment: null,
  runners: new Map([[id, 'rack-1']]),
  layers: [],
  isCurrent: true,
  newer: null,
  ...change,
})
const sentence = (...given: Parameters<typeof sight>) => explain(sight(...given)).sentence

describe('why a prebuild is as it is', () => {
  test.each(prebuildPhases)('is said of one that is %s, with since when and what made it', (phase) => {
    const { sentence: said, evidence } = explain(sight(phase))
    expect(said).toMatch(/^its? /)
    expect(evidence[0]).toEqual({ what: `${phase} since`, at })
    expect(evidence[1]?.what).toBe('made for a trigger: push of 1481a2d to refs/heads/main by ada')
  })

  test('names what it waits for', () => {
    expect(sentence('pending')).toContain('room in the quotas')
    expect(sentence('pending', {}, { before: 'shop-small-0' })).toContain('it waits for shop-small-0')
    const step = {
      name: 'project_setup',
      repository: null,
      phase: 'running',
      startedAt: at,
      finishedAt: null,
    }
    const steps = [
      { ...step, durationMilliseconds: null, exitCode: null, output: '', outputBytes: 0, error: null },
    ]
    expect(sentence('running', { steps } as Partial<PrebuildStatus>)).toContain('project_setup')
    expect(explain(sight('running', { deadline: at })).next).toContain('it fails unless it is done')
  })

  test('says of a complete one whether machines start from it, and if not how to get another', () => {
    expect(sentence('completed')).toContain('fits environments of shop and class small')
    expect(explain(sight('completed')).next).toBeNull()
    expect(sentence('completed', {}, { newer: 'shop-small-2' })).toContain('shop-small-2 is newer')
    const unused: [Partial<PrebuildStatus>, Partial<PrebuildSight>, string][] = [
      [{ failedBoots: 3 }, {}, '3 environments in a row could not start'],
      [{}, { isCurrent: false }, 'does not fit'],
    ]
    const doubted = { failedBoots: 1, unexplainedBoots: 2 }
    expect(sentence('completed', doubted)).toContain('2 environments that started from it did not answer')
    for (const [status, change, text] of unused) {
      const explained = explain(sight('completed', status, change))
      expect(explained.sentence).toContain(text)
      expect(explained.next).toContain('hearth prebuild run')
    }
  })

  test('names the runners that still have layers of one that is to go, what stands on these, and the way out', () => {
    const layers = [
      { runner: 'rack-1', usedBy: ['environment shop-1'] },
      { runner: 'rack-2', usedBy: [] },
      { runner: 'rack-1', usedBy: ['snapshot shop-small-2'] },
    ]
    const { sentence: said, next } = explain(sight('deleting', { deadline: at }, { layers }))
    expect(said).toBe(
      'it is being deleted, with its environments and its snapshots; layers of it are still on rack-1, rack-2, where environment shop-1, snapshot shop-small-2 still stand on them',
    )
    expect(next).toContain('its runners are asked again; `hearth prebuild delete --force` ends it at once')
    expect(sentence('cancelling', {}, { layers: layers.slice(1, 2) })).toContain('still on rack-2')
    expect(sentence('deleting')).not.toContain('layers')
  })

  test('shows the cause and the last lines of one that failed, warnings, and what became of its memory', () => {
    const failure: Failure = { code: 'command_failed', message: 'make ended with 2', lastLines: ['a', 'b'] }
    const explained = explain(sight('failed', { failure }))
    expect(explained.sentence).toBe('it failed: make ended with 2')
    expect(explained.evidence.map(({ what }) => what)).toEqual(expect.arrayContaining(['| a', '| b']))
    const template = { runnerId: id, environmentId: null, snapshotId: null, failures: 0, retryAt: null }
    const full: Failure = { code: 'disk_full', message: 'no room' }
    const templates: PrebuildStatus['templates'] = [
      { ...template, phase: 'failed', failure: full, failures: 2, retryAt: at },
      { ...template, phase: 'failed', failure: full, failures: 5 },
      { ...template, phase: 'booting', failure: full, failures: 1 },
      { ...template, phase: 'ready', failure: null },
    ]
    const not = 'its memory is not kept on rack-1: no room'
    const said = explain(sight('completed', { warnings: ['too short'], templates })).evidence.map(
      ({ what }) => what,
    )
    expect(said).toEqual(
      expect.arrayContaining([
        'warning: too short',
        `${not}; 2 of 5 attempts failed, and it is tried again at ${spokenTime(at)}`,
        `${not}; 5 of 5 attempts failed, and it is not tried again with this prebuild`,
        `${not}; 1 of 5 attempts failed, and it is booting`,
        'its memory on rack-1 is ready',
      ]),
    )
  })
})
