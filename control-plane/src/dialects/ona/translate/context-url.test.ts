import { expect, test } from 'vitest'
import { gitContextOf } from './context-url.ts'

test.each([
  ['https://git.example.com/ours/shop', { owner: 'ours', repo: 'shop', branch: '' }],
  ['https://git.example.com/ours/shop.git', { owner: 'ours', repo: 'shop' }],
  ['https://git.example.com/ours/shop/tree/new/door', { repo: 'shop', branch: 'new/door' }],
  ['https://git.example.com/a/group/shop/-/tree/main', { owner: 'a/group', repo: 'shop', branch: 'main' }],
  ['https://git.example.com/ours/shop/src/branch/main', { repo: 'shop', branch: 'main' }],
  ['https://git.example.com/ours/shop/commit/0a1b2c', { commit: '0a1b2c', branch: '' }],
  ['https://git.example.com/ours/shop/releases/tag/v1.2', { tag: 'v1.2' }],
  ['https://git.example.com/ours/shop/tree/a%23b', { repo: 'shop', branch: 'a#b' }],
  ['https://git.example.com/ours/shop/pull/12', { repo: 'shop', branch: '' }],
  ['https://git.example.com/a/group/shop/-/merge_requests/3', { owner: 'a/group', repo: 'shop' }],
  ['https://git.example.com/ours/shop/blob/main/tree/x', { repo: 'shop', branch: '' }],
])('%s', (address, expected) => {
  expect(gitContextOf(address)).toMatchObject({
    cloneUrl: `https://git.example.com/${'owner' in expected ? expected.owner : 'ours'}/shop.git`,
    host: 'git.example.com',
    ...expected,
  })
})

test.each([
  '',
  'shop',
  'https://git.example.com',
  'https://git.example.com/shop',
  'https://me:word@git.example.com/ours/shop',
  'file:///a/b',
])('%s names no repository', (address) => expect(gitContextOf(address)).toBeNull())
