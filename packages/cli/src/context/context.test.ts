import { expect, test } from 'vitest'
import { chooseContext, contextFileSchema, contextPaths, stateFolderOf } from './context.ts'

const own = { url: 'http://own:1', token: 'own-token', path: '/home/ada/.config/hearth/context.json' }
const state = { url: 'http://state:2', token: 'state-token', path: '/var/lib/hearth/context.json' }
const nothing = { flags: {}, environment: {}, files: [] }

test('flags count before the environment, the environment before files, files in their order', () => {
  const flags = { url: 'http://flag', token: 'flag-token' }
  const environment = { url: 'http://env', token: 'env-token' }
  const files = [own, state]
  expect(chooseContext({ flags, environment, files })).toMatchObject(flags)
  expect(chooseContext({ flags: {}, environment, files })).toMatchObject(environment)
  expect(chooseContext({ ...nothing, files })).toEqual({ url: own.url, token: own.token, source: own.path })
})

test('a file’s token never goes to another server', () => {
  const files = [own, state]
  expect(chooseContext({ ...nothing, flags: { url: 'http://elsewhere' }, files })?.token).toBeUndefined()
  expect(chooseContext({ ...nothing, flags: { url: 'http://state:2/' }, files })?.token).toBe('state-token')
})

test('a file may name several control planes of one installation', () => {
  const file = { url: 'https://a.example.org,https://b.example.org/', token: 't' }
  expect(contextFileSchema.parse(file)).toEqual(file)
  expect(contextFileSchema.safeParse({ url: 'https://a.example.org,nowhere', token: 't' }).success).toBe(
    false,
  )
  const flags = { url: 'https://a.example.org,https://b.example.org' }
  expect(chooseContext({ ...nothing, flags, files: [{ ...file, path: '/c' }] })?.token).toBe('t')
})

test('a token from the environment goes with an address from a file', () => {
  expect(chooseContext({ flags: {}, environment: { token: 't' }, files: [own] })).toMatchObject({
    url: own.url,
    token: 't',
  })
})

test('without any source there is no context', () => {
  expect(chooseContext(nothing)).toBeNull()
})

test('a state folder that was asked for has priority over the user’s context, the default one does not', () => {
  const config = { chosenState: undefined, defaultState: '/var/lib/hearth', configFolder: '/c' }
  expect(contextPaths(undefined, config)).toEqual(['/c/context.json', '/var/lib/hearth/context.json'])
  expect(contextPaths('/s', config)[0]).toBe('/s/context.json')
  expect(contextPaths(undefined, { ...config, chosenState: '/e' })[0]).toBe('/e/context.json')
  expect(stateFolderOf('/s', { ...config, chosenState: '/e' })).toBe('/s')
  expect(stateFolderOf(undefined, config)).toBe('/var/lib/hearth')
})
