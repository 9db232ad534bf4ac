import { expect, test } from 'vitest'
import { formatFor } from './accept.ts'
import { flag } from './read-query.ts'
import { fieldSelector, labelSelector } from './selectors.ts'

const named = (name: string, labels?: Record<string, string>) => ({
  metadata: {
    name,
    uid: '',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '',
    ...(labels === undefined ? {} : { labels }),
  },
})

test.each<[string, boolean]>([
  ['', true],
  ['app=shop', true],
  ['app==shop', true],
  ['app = shop', true],
  ['app=site', false],
  ['app!=site', true],
  ['tier!=one', true],
  ['app', true],
  ['tier', false],
  ['!tier', true],
  ['!app', false],
  ['app in (site, shop)', true],
  ['app in (site)', false],
  ['app notin (site)', true],
  ['tier notin (one,two)', true],
  ['app notin (shop)', false],
  ['app=shop,tier', false],
  ['app in (shop,site),!tier,example.org/team=a', true],
  ['constructor', false],
])('the label selector `%s`: %s', (text, expected) => {
  expect(labelSelector(text)(named('a', { app: 'shop', 'example.org/team': 'a' }))).toBe(expected)
})

test.each(['a=b=c', 'a in b', 'a in (b', '=b', ',', 'a b', '!!a'])(
  'the label selector `%s` is refused',
  (text) => {
    expect(() => labelSelector(text)).toThrow('unable to parse requirement')
  },
)

test('a selector is as fast as it is long', () => {
  const started = performance.now()
  for (const text of [
    `${'a'.repeat(4_000)} `,
    `a in (${'b,'.repeat(2_000)})`,
    '-'.repeat(4_000),
    'a,'.repeat(2_000),
  ])
    try {
      labelSelector(text)
    } catch {
      // Refused as quickly.
    }
  expect(performance.now() - started).toBeLessThan(500)
})

test.each<[string, boolean]>([
  ['', true],
  ['metadata.name=shop', true],
  ['metadata.name==SHOP', true],
  ['metadata.name=site', false],
  ['metadata.name!=site', true],
  ['metadata.name=shop,metadata.name!=shop', false],
])('the field selector `%s`: %s', (text, expected) => {
  expect(fieldSelector(text)(named('shop'))).toBe(expected)
})

test.each([
  [undefined, 'objects'],
  ['', 'objects'],
  ['*/*', 'objects'],
  ['application/json', 'objects'],
  ['application/json;stream=watch', 'objects'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io', 'table'],
  ['application/json;as=Table;v=v9;g=meta.k8s.io, application/json', 'objects'],
  ['application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json', 'objects'],
  ['application/vnd.kubernetes.protobuf, application/json;as=Status', null],
  ['application/yaml', null],
  [', ;', null],
])('who accepts %s gets %s', (accept, expected) => {
  if (expected === null) expect(() => formatFor(accept)).toThrow('only the following media types')
  else expect(formatFor(accept).as).toBe(expected)
})

test('a flag is true unless it is clearly not', () => {
  expect([undefined, '', '0', 'false', 'False'].map(flag)).toEqual([false, false, false, false, false])
  expect(['1', 'true', 'TRUE', 'yes'].map(flag)).toEqual([true, true, true, true])
})
