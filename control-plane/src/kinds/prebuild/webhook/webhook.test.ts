import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparable, unconcerned } from './match.ts'
import { readPush } from './push.ts'
import { isSigned, readDelivery } from './signature.ts'

const commit = '1481a2de7b2a7d02428ad93446ab166be7793fbb'
const github = {
  ref: 'refs/heads/main',
  before: '9049f1265b7d61be4a8904a9a27120d2064dab3b',
  after: commit,
  created: false,
  deleted: false,
  forced: false,
  compare: 'https://git.example/team/shop/compare/9049f1265b7d...1481a2de7b2a',
  commits: [{ id: commit, message: 'Sell more', author: { name: 'Ada', email: 'ada@example.com' } }],
  pusher: { name: 'ada', email: 'ada@example.com' },
  sender: { login: 'ada', id: 1 },
  repository: {
    id: 35129377,
    full_name: 'team/shop',
    private: true,
    html_url: 'https://git.example/team/shop',
    git_url: 'git://git.example/team/shop.git',
    ssh_url: 'git@git.example:team/shop.git',
    clone_url: 'https://git.example/team/shop.git',
    default_branch: 'main',
  },
}
const gitea = {
  ...github,
  pusher: { id: 1, login: 'ada', full_name: '', email: 'ada@example.com', username: 'ada' },
  repository: { ...github.repository, owner: { login: 'team' }, git_url: undefined },
}
const gitlab = {
  object_kind: 'push',
  event_name: 'push',
  before: '95790bf891e76fee5e1747ab589903a6a1f80f22',
  after: commit,
  ref: 'refs/heads/main',
  checkout_sha: commit,
  user_username: 'ada',
  user_name: 'Ada',
  project_id: 15,
  project: {
    id: 15,
    name: 'Shop',
    web_url: 'https://git.example/team/shop',
    git_ssh_url: 'git@git.example:team/shop.git',
    git_http_url: 'https://git.example/team/shop.git',
    default_branch: 'main',
  },
  commits: [],
  total_commits_count: 0,
}
const read = (headers: Record<string, string>) => readDelivery((name) => headers[name])

describe('a push', () => {
  test.each([
    ['github', 'push', github],
    ['gitea', 'push', gitea],
    ['gitlab', 'Push Hook', gitlab],
  ] as const)(
    'of %s is read: branch, commit, who pushed, and every address of the repository',
    (server, event, body) => {
      const push = readPush(server, event, body)
      expect(push).toMatchObject({ branch: 'main', commit, by: 'ada', defaultBranch: 'main' })
      expect('urls' in push && push.urls).toContain('https://git.example/team/shop.git')
    },
  )

  test('is ignored, in words, when it is of a tag, when it deletes a branch, and when it is another event', () => {
    expect(readPush('github', 'push', { ...github, ref: 'refs/tags/v1' })).toEqual({
      ignored: 'refs/tags/v1 is no branch',
    })
    expect(readPush('gitlab', 'Push Hook', { ...gitlab, after: '0'.repeat(40) })).toEqual({
      ignored: 'refs/heads/main was deleted',
    })
    expect(readPush('github', 'ping', { zen: 'Keep it logically awesome.' })).toEqual({
      ignored: 'it is the event ping, not a push',
    })
  })

  test.each([
    ['nothing', null],
    ['a list', [github]],
    ['no commit', { ...github, after: 'main; rm -rf /' }],
    ['a branch of two lines', { ...github, ref: 'refs/heads/main\nrefs/heads/other' }],
    ['a branch without an end', { ...github, ref: `refs/heads/${'a'.repeat(10_000)}` }],
    ['no repository', { ...github, repository: 'shop' }],
  ])('with %s is refused', (_, body) => {
    expect(() => readPush('github', 'push', body)).toThrow()
  })

  test('of whatever shape is read, ignored or refused, and never anything else', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('github', 'gitlab', 'gitea'),
        fc.string(),
        fc.jsonValue(),
        (server, event, body) => {
          const of = server as 'github'
          try {
            const push = readPush(of, event, body)
            expect('ignored' in push || push.ref.startsWith('refs/heads/')).toBe(true)
          } catch (error) {
            expect((error as Error).name).toMatch(/Zod/)
          }
        },
      ),
    )
  })
})

describe('a delivery', () => {
  const body = Buffer.from(JSON.stringify(github))
  const mac = createHmac('sha256', 'right').update(body).digest('hex')

  test('of each server is known by its headers, and believed with the right secret only', () => {
    const signed: Record<string, string>[] = [
      { 'X-Hub-Signature-256': `sha256=${mac}`, 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd-1' },
      {
        'X-Gitea-Signature': mac,
        'X-Gitea-Event': 'push',
        'X-Gitea-Delivery': 'd-1',
        'X-Hub-Signature-256': `sha256=${mac}`,
      },
      { 'X-Gitlab-Token': 'right', 'X-Gitlab-Event': 'Push Hook', 'Idempotency-Key': 'd-1' },
    ]
    const servers = signed.map((headers) => {
      const delivery = read(headers)
      if (delivery === null) throw new Error('a signed delivery was not known')
      expect(delivery.id).toBe('d-1')
      expect(isSigned(delivery, 'right', body)).toBe(true)
      expect(isSigned(delivery, 'wrong', body)).toBe(false)
      const changed = isSigned(delivery, 'right', Buffer.concat([body, Buffer.from(' ')]))
      expect(changed).toBe(delivery.server === 'gitlab')
      return delivery.server
    })
    expect(servers).toEqual(['github', 'gitea', 'gitlab'])
  })

  test('without a signature, with an empty one, with the old SHA-1 or with half of one is not believed', () => {
    expect(read({ 'X-GitHub-Event': 'push' })).toBeNull()
    expect(read({ 'X-Hub-Signature': 'sha1=7d38cdd689735b008b3c702edd92eea23791c5f6' })).toBeNull()
    for (const signature of [
      '',
      'sha256=',
      mac,
      `sha256=${mac.slice(0, 32)}`,
      `sha256=${mac.toUpperCase()}`,
    ]) {
      const delivery = read({ 'X-Hub-Signature-256': signature, 'X-GitHub-Event': 'push' })
      expect(delivery === null || isSigned(delivery, 'right', body), signature).toBe(false)
    }
    const empty = read({ 'X-Gitlab-Token': '', 'X-Gitlab-Event': 'Push Hook' })
    expect(empty === null || isSigned(empty, 'right', body)).toBe(false)
  })
})

describe('a repository', () => {
  test('is the same over https, ssh and git, with and without .git, user and port', () => {
    const same = [
      'https://git.example/team/shop.git',
      'https://Git.Example/team/shop',
      'ssh://git@git.example:2222/team/shop.git',
      'git@git.example:team/shop.git',
      'git://git.example/Team/Shop.git/',
    ].map(comparable)
    expect(new Set(same)).toEqual(new Set(['git.example/team/shop']))
    expect(comparable('https://git.example/team/shopper')).not.toBe('git.example/team/shop')
    expect(comparable('file:///srv/shop.git')).toBeNull()
  })

  test('concerns a project that has it, for the branch it follows only', () => {
    const push = readPush('github', 'push', github)
    if ('ignored' in push) throw new Error(push.ignored)
    const of = (url: string, branch: string | null) => unconcerned(push, [{ name: 'shop', url, branch }])
    expect(of('git@git.example:team/shop.git', null)).toBeNull()
    expect(of('https://git.example/team/shop', 'main')).toBeNull()
    expect(of('https://git.example/team/shop', 'next')).toBe('the project follows next of it, not main')
    expect(of('https://git.example/team/other', null)).toBe('the project has no such repository')
  })
})
