import { expect, test } from 'vitest'
import { Pauses } from './domain-snapshot.ts'

const event = (time: string, what: string) =>
  `2026-11-29 08:46:${time}+0000: event 'lifecycle' for domain 'hearth-x': ${what}`

test('the time that a guest stood still is added up from libvirt’s events', async () => {
  const pauses = new Pauses()
  pauses.take(event('00.840', 'Suspended Paused'))
  pauses.take('something else')
  expect(pauses.milliseconds).toBeNull()
  const ended = pauses.ended(60_000)
  pauses.take(event('01.202', 'Resumed Unpaused'))
  await ended
  expect(pauses.milliseconds).toBe(362)
  pauses.take(event('02.000', 'Suspended Paused'))
  pauses.take(event('02.010', 'Resumed Unpaused'))
  expect(pauses.milliseconds).toBe(372)
})
