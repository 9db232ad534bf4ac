import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type NextStep, nextStep, type Seen, type Wanted } from './next-step.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const environmentId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12'
const runnerId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a13'
const file = { bytes: 4_096, digest: '0'.repeat(64) }
const facts = (depth: number) => ({
  parentId: depth > 1 ? environmentId : null,
  depth,
  disk: file,
  totalBytes: 4_096,
  virtualBytes: 8_192,
  memory: null,
  memoryFault: null,
  pausedMilliseconds: null,
})
const ownership = (owner = runnerId, epoch = 1, generation = 1) => ({
  ...{ owner, layerId: id, epoch, generation, createdAt: '2026-01-01T00:00:00.000Z' },
})
const wanted = (change: Partial<Wanted> = {}): Wanted => ({
  ...{ id, runnerId, epoch: 1, generation: 2, desiredPhase: 'present', sealedForbidden: null },
  source: { kind: 'environment', environmentId, memory: true },
  ...change,
})
const fresh = {
  failure: null,
  failedGeneration: 0,
  failedGrant: null,
  isSearched: false,
  keptBy: null,
  unflattened: null,
}
const seen = (phase: Seen['layer']['phase'], record: Partial<Seen['record']> = {}, depth = 1): Seen => ({
  layer: {
    phase,
    ownership: phase === 'absent' ? null : ownership(),
    facts: phase === 'present' ? facts(depth) : null,
  },
  record: { ...fresh, ...record },
})
const failure = (code: 'disk_full' | 'secret_found') => ({ code, message: code })
const grant = { id, host: 'rack-2', port: 7_070, sealedKey: 'x', expiresAt: '2026-01-01T00:00:00.000Z' }
const copied = wanted({ source: { kind: 'runner', runnerId: environmentId, grant } })
const gone = wanted({ desiredPhase: 'deleted' })

test.each<[string, Wanted, Seen, Partial<NextStep>]>([
  ['an absent layer is frozen', wanted(), seen('absent'), { kind: 'freeze', environmentId, memory: true }],
  ['a cut freeze goes on', wanted(), seen('partial'), { kind: 'freeze' }],
  ['a layer of another runner is copied', copied, seen('partial'), { kind: 'copy' }],
  ['a present layer is at rest', wanted(), seen('present'), { kind: 'rest', phase: 'present' }],
  [
    'it is searched first where it must not hold something',
    wanted({ sealedForbidden: 'sealed' }),
    seen('present'),
    { kind: 'search' },
  ],
  [
    'a searched layer is at rest',
    wanted({ sealedForbidden: 'sealed' }),
    seen('present', { isSearched: true }),
    { kind: 'rest', phase: 'present' },
  ],
  ['a deep layer is flattened', wanted(), seen('present', {}, 8), { kind: 'flatten' }],
  [
    'unless that was refused',
    wanted(),
    seen('present', { unflattened: { id: null, failure: failure('disk_full') } }, 8),
    { kind: 'rest' },
  ],
  ['any layer is flattened on request', wanted({ flatten: id }), seen('present', {}, 2), { kind: 'flatten' }],
  ['one that stands on the image is flat', wanted({ flatten: id }), seen('present'), { kind: 'rest' }],
  [
    'a request that was refused is not done',
    wanted({ flatten: id }),
    seen('present', { unflattened: { id, failure: failure('disk_full') } }, 9),
    { kind: 'rest', phase: 'present' },
  ],
  [
    'another request is tried again',
    wanted({ flatten: runnerId }),
    seen('present', { unflattened: { id, failure: failure('disk_full') } }, 2),
    { kind: 'flatten' },
  ],
  [
    'what failed stays failed',
    wanted(),
    seen('absent', { failure: failure('disk_full'), failedGeneration: 2 }),
    { kind: 'rest', phase: 'failed' },
  ],
  [
    'what a failure left goes',
    wanted(),
    seen('partial', { failure: failure('disk_full'), failedGeneration: 2 }),
    { kind: 'remove' },
  ],
  [
    'a layer with a secret goes',
    wanted(),
    seen('present', { failure: failure('secret_found'), failedGeneration: 2 }),
    { kind: 'remove' },
  ],
  [
    'unless something stands on it',
    wanted(),
    seen('present', { failure: failure('secret_found'), failedGeneration: 2, keptBy: ['a machine'] }),
    { kind: 'rest', phase: 'failed' },
  ],
  [
    'a newer generation tries again',
    wanted({ generation: 3 }),
    seen('absent', { failure: failure('disk_full'), failedGeneration: 2 }),
    { kind: 'freeze' },
  ],
  [
    'a copy that failed stays failed',
    copied,
    seen('absent', { failure: failure('disk_full'), failedGeneration: 2, failedGrant: id }),
    { kind: 'rest', phase: 'failed' },
  ],
  [
    'another grant tries again',
    copied,
    seen('absent', { failure: failure('disk_full'), failedGeneration: 2, failedGrant: runnerId }),
    { kind: 'copy' },
  ],
  ['an unwanted layer goes', gone, seen('present'), { kind: 'remove' }],
  ['what is gone is deleted', gone, seen('absent'), { kind: 'rest', phase: 'deleted' }],
  [
    'what something stands on waits',
    gone,
    seen('present', { keptBy: ['a machine'] }),
    { kind: 'rest', phase: 'deleting' },
  ],
])('%s', (_, order, state, step) => {
  expect(nextStep(order, state)).toMatchObject(step)
})

test('a layer of another owner is left alone, whatever is wanted', () => {
  const foreign: Seen = { ...seen('present'), layer: { ...seen('present').layer, ownership: ownership('x') } }
  for (const order of [wanted(), gone]) expect(nextStep(order, foreign)).toMatchObject({ phase: 'failed' })
})

test('an older lease or order is refused', () => {
  const newer = (epoch: number, generation: number): Seen => ({
    ...seen('present'),
    layer: { ...seen('present').layer, ownership: ownership(runnerId, epoch, generation) },
  })
  expect(nextStep(gone, newer(2, 1))).toMatchObject({ kind: 'refuse', superseded: true })
  expect(nextStep(gone, newer(1, 3))).toMatchObject({ kind: 'refuse', superseded: false })
})

test('no state is without a step or a rest, and nothing is made of what is to go', () => {
  const anySeen = fc.record({
    phase: fc.constantFrom('absent' as const, 'partial' as const, 'present' as const),
    depth: fc.nat(30),
    record: fc.record({
      failure: fc.option(fc.constantFrom(failure('disk_full'), failure('secret_found'))),
      failedGeneration: fc.nat(4),
      failedGrant: fc.constantFrom(null, id),
      isSearched: fc.boolean(),
      keptBy: fc.option(fc.array(fc.constant('a machine'), { maxLength: 2 })),
      unflattened: fc.option(
        fc.record({ id: fc.constantFrom(null, id), failure: fc.constant(failure('disk_full')) }),
      ),
    }),
  })
  const anyWanted = fc.record({
    desiredPhase: fc.constantFrom('present' as const, 'deleted' as const),
    generation: fc.integer({ min: 1, max: 4 }),
    sealedForbidden: fc.option(fc.constant('sealed')),
    flatten: fc.constantFrom(undefined, id, runnerId),
  })
  fc.assert(
    fc.property(anyWanted, anySeen, (change, { phase, depth, record }) => {
      const step = nextStep(wanted(change), seen(phase, record, depth))
      if (change.desiredPhase === 'deleted') expect(['remove', 'rest', 'refuse']).toContain(step.kind)
      if (step.kind === 'rest' && step.phase === 'present') expect(phase).toBe('present')
      if (step.kind === 'rest' && step.phase === 'deleted') expect(phase).toBe('absent')
    }),
  )
})
