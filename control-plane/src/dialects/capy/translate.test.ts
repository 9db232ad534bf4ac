import { type InstanceState, instanceStateSchema, type WarmPoolInstance } from '@hearth/contract'
import { expect, test } from 'vitest'
import { cursorOf, idOf } from './paging.ts'
import { fullName, taskCode } from './projects.ts'
import { statusOf } from './translate.ts'

const instance = (state: InstanceState, success: boolean | null) =>
  ({ state, environment: { status: { summary: { success } } } }) as WarmPoolInstance

test('every phase has one of the four statuses, and a removed machine has that of its steps', () => {
  for (const state of instanceStateSchema.options) {
    expect(['provisioning', 'ready', 'failed', 'claimed']).toContain(statusOf(instance(state, true)))
  }
  expect(statusOf(instance('removed', true))).toBe('ready')
  expect(statusOf(instance('removing', false))).toBe('failed')
  expect(statusOf(instance('removed', null))).toBe('failed')
})

test.each([
  ['https://github.com/acme/shop.git', 'acme/shop'],
  ['git@github.com:acme/shop.git', 'acme/shop'],
  ['ssh://git@host:2222/acme/shop/', 'acme/shop'],
  ['git://10.0.2.2:9418/shop.git', 'shop'],
])('%s is the repository %s', (url, name) => {
  expect(fullName(url)).toBe(name)
})

test('a task code has only letters and digits; a cursor is decoded to the id that it was made from', () => {
  expect(taskCode('my-shop')).toBe('MYSH')
  const id = '01890000-0000-7000-8000-000000000000'
  expect(idOf(cursorOf(id))).toBe(id)
  expect(() => idOf('nonsense')).toThrow('cursor')
})
