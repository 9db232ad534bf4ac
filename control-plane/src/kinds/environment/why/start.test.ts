import type { StartedFrom } from '@hearth/contract'
import { expect, test } from 'vitest'
import type { EnvironmentSight } from './sight.ts'
import { startEvidence } from './start.ts'

const from = (what: StartedFrom['from'], reason: string | null = null) => ({
  from: what,
  snapshotId: null,
  incarnation: 1,
  reason,
})

test.each<[string, StartedFrom | null, EnvironmentSight['start'], string[]]>([
  ['from the image, as ever', from('image'), { prebuild: null, reason: null }, []],
  ['and has not said from what', null, { prebuild: 'shop-1', reason: null }, []],
  [
    'from the memory',
    from('memory'),
    { prebuild: 'shop-1', reason: null },
    ['it started from the memory of prebuild shop-1'],
  ],
  [
    'from the disk, since no memory is there',
    from('disk', 'its runner keeps no memory of prebuild shop-1'),
    { prebuild: 'shop-1', reason: null },
    ['it started from the disk of prebuild shop-1: its runner keeps no memory of prebuild shop-1'],
  ],
  [
    'from the image, since none fits',
    from('image'),
    { prebuild: null, reason: 'prebuild shop-1 was made of another set-up' },
    ['it started from its image: prebuild shop-1 was made of another set-up'],
  ],
  [
    'and will do so from the image',
    null,
    { prebuild: null, reason: 'no prebuild of its project and class is complete yet' },
    ['it does not start as quickly as it could: no prebuild of its project and class is complete yet'],
  ],
  [
    'from the disk of a snapshot',
    from('disk'),
    { prebuild: null, reason: null },
    ['it started from the disk of a snapshot'],
  ],
])('a machine started %s', (_, startedFrom, start, expected) => {
  const environment = { status: { startedFrom } } as EnvironmentSight['environment']
  expect(startEvidence({ environment, start }).map(({ what }) => what)).toEqual(expected)
})
