import fc from 'fast-check'
import { expect, test } from 'vitest'
import { projectCreateSchema } from './project.ts'
import { repositoryInputSchema } from './provisioning-plan.ts'
import { nameOfRepository, repositoryFolderSchema, repositoryName } from './repository-folder.ts'
import { nameSchema } from './resource.ts'
import { subjects } from './subjects.ts'

test.each([
  ['https://git.example/team/My_App.Web.git', 'My_App.Web'],
  ['git@git.example:team/web_shop.git', 'web_shop'],
  ['git@git.example:Shop', 'Shop'],
  ['ssh://git@git.example:2222/team/shop/', 'shop'],
  ['git://10.0.2.2:9418/application', 'application'],
  ['file:///srv/shop/.git', 'shop'],
  ['https://git.example/team/.github', '.github'],
  ['https://git.example/team/a+b%20c.git', 'a-b-20c'],
  ['https://git.example/..', 'repository'],
  ['https://git.example/--upload-pack=x', 'upload-pack-x'],
])('the folder of %s is %s', (url, name) => {
  expect(repositoryName(url)).toBe(name)
  expect(repositoryInputSchema.parse({ url }).name).toBe(name)
})

test('whatever the URL, the folder is a valid one, and a project can be named after it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.string()), (url) => {
      expect(repositoryFolderSchema.safeParse(repositoryName(url)).success).toBe(true)
      expect(nameSchema.safeParse(nameOfRepository(url)).success).toBe(true)
    }),
  )
})

test.each(['.', '..', '-x', '.env', 'a/b', 'a b', 'é', 'x'.repeat(101), '\u001b[2J', ''])(
  'a folder cannot be called %j',
  (name) => {
    expect(repositoryInputSchema.safeParse({ url: 'https://git.example/a', name }).success).toBe(false)
  },
)

test('a folder that would replace Hearth’s own file needs another name', () => {
  const read = repositoryInputSchema.safeParse({ url: 'https://git.example/team/.env.git' })
  expect(read.error?.issues).toMatchObject([
    { path: ['name'], message: expect.stringContaining('is needed') },
  ])
})

test('two clones in one folder are refused, with a solution', () => {
  const urls = ['https://git.example/a/Shop.git', 'https://git.example/b/shop', 'https://git.example/c/cart']
  const spec = { repositories: urls.map((url) => ({ url })) }
  const issues = projectCreateSchema.safeParse({ name: 'shop', spec }).error?.issues
  expect(issues).toMatchObject([
    {
      path: ['spec', 'repositories', 1, 'name'],
      message: 'each repository needs a folder of its own, and shop is beside Shop: give it a name',
    },
  ])
})

test('a step is two tokens of a subject at most, whatever its repository is called', () => {
  const of = (step: string) => subjects.log('runner', 'environment', step)
  expect(of('clone_repo.shop')).toBe('hearth.log.runner.environment.clone_repo.shop')
  fc.assert(
    fc.property(fc.string(), (name) => {
      const tokens = of(`clone_repo.${name}`).split('.')
      expect(tokens).toHaveLength(6)
      for (const token of tokens) expect(token).toMatch(/^[^\s.*>]+$/)
    }),
  )
  const names = ['a.b', 'a-b', 'a_b', 'a..b', '.a.b', 'a.b.']
  expect(new Set(names.map((name) => of(`clone_repo.${name}`))).size).toBe(names.length)
})
