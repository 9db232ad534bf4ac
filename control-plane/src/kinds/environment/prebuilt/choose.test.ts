import { expect, test } from 'vitest'
import { type Built, choosePrebuild } from './choose.ts'

const built = (name: string, change: Partial<Built> = {}): Built => ({
  id: name,
  name,
  branch: null,
  configuration: 'now',
  failedBoots: 0,
  unexplainedBoots: 0,
  snapshot: { id: `disk of ${name}`, isReady: true, held: {} },
  isHeld: true,
  ...change,
})
const changed = { configuration: 'before' }
const gone = { snapshot: { id: '', isReady: false, held: {} } }

test.each<[string, Built[], string | null, string | null]>([
  ['there is none', [], null, null],
  ['the newest fits', [built('new'), built('old')], 'new', null],
  [
    'the set-up was changed since',
    [built('new', changed)],
    null,
    'prebuild new was made of other repositories, another set-up, image or size',
  ],
  [
    'the newest does not boot, and the one before it does',
    [built('new', { failedBoots: 3 }), built('old')],
    'old',
    '3 environments in a row could not start from prebuild new',
  ],
  [
    'two machines could not start from the newest',
    [built('new', { failedBoots: 2 }), built('old')],
    'new',
    null,
  ],
  [
    'it is not known whether the newest or a host is at fault',
    [built('new', { failedBoots: 1, unexplainedBoots: 2 }), built('old')],
    'old',
    "2 environments that started from prebuild new did not answer, and it is not known yet whether that is their hosts' doing",
  ],
  [
    'the snapshot of the newest was deleted',
    [built('new', gone), built('old')],
    'old',
    'the snapshot of prebuild new is not there any more',
  ],
  [
    'its record too',
    [built('new', { snapshot: null })],
    null,
    'the snapshot of prebuild new is not there any more',
  ],
  ['no runner holds it', [built('new', { isHeld: false })], null, 'no runner holds prebuild new'],
  ['a newer one is of another branch', [built('next', { branch: 'next' }), built('old')], 'old', null],
  ['there is only one of another branch', [built('next', { branch: 'next' })], 'next', null],
])('where %s', (_, newestFirst, name, reason) => {
  const choice = choosePrebuild({ configuration: 'now', branch: null }, newestFirst)
  expect({ name: choice.chosen?.name ?? null, reason: choice.reason }).toEqual({ name, reason })
})
