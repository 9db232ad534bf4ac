import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('the state folder is the system’s for root and the person’s own else', () => {
  expect(readConfig({ HOME: '/root' }, 0).defaultState).toBe('/var/lib/hearth')
  expect(readConfig({ HOME: '/home/ada' }, 1000).defaultState).toBe('/home/ada/.local/state/hearth')
  expect(readConfig({ HOME: '/home/ada', XDG_STATE_HOME: '/state' }, 1000).defaultState).toBe('/state/hearth')
})

test('a variable that is set to nothing is not set', () => {
  const config = readConfig({ HOME: '/home/ada', HEARTH_URL: '', HEARTH_STATE: '', NO_COLOR: '' }, 1000)
  expect(config).toMatchObject({ url: undefined, chosenState: undefined, noColour: false })
})

test('NO_COLOR with any value switches colours off', () => {
  expect(readConfig({ HOME: '/home/ada', NO_COLOR: '0' }, 1000).noColour).toBe(true)
})
