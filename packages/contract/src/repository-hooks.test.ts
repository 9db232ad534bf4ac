import { expect, test } from 'vitest'
import { type RepositoryHookTexts, readRepository } from './repository-hooks.ts'

const repositoryHooks = (texts: RepositoryHookTexts) => readRepository(texts).hooks

const none = { hearth: null, script: null, capy: null }
const ours = 'apiVersion: hearth/v1\nname: shop\nhooks:\n  init: [make]\n'
const capy = JSON.stringify({ hooks: { setup: ['pnpm install'], terminals: [{ name: 'dev' }] } })

test('the first file that names hooks is followed', () => {
  expect(repositoryHooks({ hearth: ours, script: '#!', capy })).toMatchObject({
    file: 'hearth.yaml',
    commands: [{ name: 'make', command: 'make' }],
  })
  expect(repositoryHooks({ ...none, script: '#!', capy })).toEqual({ kind: 'script' })
  expect(repositoryHooks({ ...none, capy })).toMatchObject({
    file: '.capy/settings.json',
    commands: [{ command: 'pnpm install' }],
  })
  expect(repositoryHooks(none)).toEqual({ kind: 'none' })
})

test('a project file without hooks leaves them to the others, and another program’s hearth.yaml is not ours', () => {
  const others = [
    'apiVersion: hearth/v1\nname: shop\n',
    'rooms: [kitchen]\n',
    'just text',
    ': not: yaml: [',
    '',
  ]
  for (const hearth of others)
    expect(repositoryHooks({ ...none, hearth, capy })).toMatchObject({ kind: 'commands' })
})

test.each([
  [{ hearth: 'apiVersion: hearth/v1\nhooks: {init: [""]}\n' }, 'hearth.yaml', 'hooks.init.0'],
  [{ hearth: 'apiVersion: hearth/v1\nhooks: {begin: [make]}\n' }, 'hearth.yaml', 'hooks'],
  [{ hearth: 'apiVersion: hearth/v1\nhooks: [\n' }, 'hearth.yaml', ''],
  [{ capy: '{"hooks": {"setup": "pnpm install"}}' }, '.capy/settings.json', 'hooks.setup'],
  [{ capy: '{' }, '.capy/settings.json', ''],
])('what does not fit is named: %j', (texts, file, field) => {
  const hooks = repositoryHooks({ ...none, ...texts })
  expect(hooks).toMatchObject({ kind: 'fault', file })
  expect(hooks.kind === 'fault' && hooks.message).toContain(field)
})
