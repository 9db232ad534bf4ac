import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { signedText, type TicketClaims } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ServedRoute } from '../served-route.ts'
import { judge, type ShownRequest } from './judge.ts'
import { type Session, Sessions, sessionCookie, splitCookies } from './session.ts'

const now = 1_800_000_000
const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const other = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12'
const tokenId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a13'
const keys = generateKeyPairSync('ed25519')
const strangers = generateKeyPairSync('ed25519')
const sessions = new Sessions(randomBytes(32))
const token = 'hearthroute_abc'
const digest = createHash('sha256').update(token).digest('hex')
const route: ServedRoute = {
  id,
  host: 'web-shop.hearth.localhost',
  customDomain: null,
  environmentId: other,
  machine: 'shop-1',
  port: 3_000,
  access: 'private',
  ticketKey: Buffer.from(keys.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64'),
  tokenDigest: digest,
  refusedTokens: new Set(),
}
const request: ShownRequest = { method: 'GET', uri: '/a?b=c', cookie: '', authorization: '' }
const ask = (change: Partial<ShownRequest>, of: Partial<ServedRoute> = {}, at = now) =>
  judge({ ...route, ...of }, { ...request, ...change }, sessions, at)

const session = (change: Partial<Session> = {}): string =>
  `${sessionCookie}=${sessions.sign({ routeId: id, by: { kind: 'ticket', tokenId }, endsAt: now + 60, ...change })}`
function ticket(change: Partial<TicketClaims> = {}, key = keys.privateKey): string {
  const claims = { id: other, routeId: id, tokenId, expiresAt: now + 60, sessionEndsAt: now + 600, ...change }
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${payload}.${sign(null, Buffer.from(signedText(payload)), key).toString('base64url')}`
}
const enter = (text: string) => ({ uri: `/.hearth/enter?ticket=${text}` })
const passes = { do: 'pass' }
const refuses = (status: number) => ({ do: 'refuse', status })

test('a private route lets in a member’s session, and Hearth’s cookie goes no further', () => {
  expect(ask({})).toMatchObject(refuses(401))
  expect(ask({ cookie: `a=1; ${session()}; b=2` })).toEqual({
    do: 'pass',
    cookie: 'a=1; b=2',
    dropsCookie: false,
    dropsAuthorization: false,
  })
  expect(ask({ cookie: session() })).toMatchObject({ do: 'pass', cookie: '', dropsCookie: true })
})

test('a session of another route, of another host, that has ended or was changed, lets nobody in', () => {
  expect(ask({ cookie: session({ routeId: other }) })).toMatchObject(refuses(401))
  expect(ask({ cookie: session({ endsAt: now }) })).toMatchObject(refuses(401))
  expect(ask({ cookie: session() }, { refusedTokens: new Set([tokenId]) })).toMatchObject(refuses(401))
  expect(ask({ cookie: `${session().slice(0, -2)}AA` })).toMatchObject(refuses(401))
  const elsewhere = new Sessions(randomBytes(32))
  expect(judge(route, { ...request, cookie: session() }, elsewhere, now)).toMatchObject(refuses(401))
})

test('a ticket lets in once it is signed for this route, and soon enough', () => {
  expect(ask(enter(ticket()))).toMatchObject({ do: 'enter', ticket: { tokenId } })
  expect(ask(enter(ticket({}, strangers.privateKey)))).toMatchObject(refuses(403))
  expect(ask(enter(ticket({ routeId: other })))).toMatchObject(refuses(403))
  expect(ask(enter(ticket({ expiresAt: now })))).toMatchObject(refuses(403))
  expect(ask(enter(ticket()), { refusedTokens: new Set([tokenId]) })).toMatchObject(refuses(403))
  expect(ask({ ...enter(ticket()), method: 'POST' })).toMatchObject(refuses(404))
})

test('a token lets in as a header, or in an address that leads on without it', () => {
  const of = { access: 'token' } as const
  expect(ask({}, of)).toMatchObject(refuses(401))
  expect(ask({ authorization: `Bearer ${token}` }, of)).toMatchObject({
    do: 'pass',
    dropsAuthorization: true,
  })
  expect(ask({ authorization: `Bearer ${token}x` }, of)).toMatchObject(refuses(401))
  expect(ask({ uri: `/a?x=1&hearth_token=${token}&y=2` }, of)).toMatchObject({
    do: 'keep',
    location: '/a?x=1&y=2',
  })
  expect(ask({ uri: `//evil.example?hearth_token=${token}` }, of)).toMatchObject({
    location: '/evil.example',
  })
  expect(ask({ uri: `/a?hearth_token=${token}`, method: 'POST' }, of)).toMatchObject(refuses(400))
  const kept = session({ by: { kind: 'token', digest } })
  expect(ask({ cookie: kept }, of)).toMatchObject(passes)
  expect(ask({ cookie: kept }, { ...of, tokenDigest: '0'.repeat(64) })).toMatchObject(refuses(401))
  expect(ask({ cookie: kept })).toMatchObject(refuses(401))
})

test('a guest’s own bearer is the guest’s, and a public route asks for nothing', () => {
  const of = { access: 'public' } as const
  expect(ask({ authorization: 'Bearer mine' }, of)).toMatchObject({ do: 'pass', dropsAuthorization: false })
  expect(ask({ cookie: session() }, of)).toMatchObject({ do: 'pass', dropsCookie: true })
})

test('what is below /.hearth/ is Hearth’s, and what only looks like it is the guest’s to judge', () => {
  const of = { access: 'public' } as const
  expect(ask({ uri: '/.hearth/anything' }, of)).toMatchObject(refuses(404))
  for (const uri of ['/%2ehearth/enter', '//.hearth/enter', '/a/../.hearth/enter', '/.hearthen'])
    expect(ask({ uri }, of)).toMatchObject(passes)
  expect(ask({ uri: 'http://other.example/' }, of)).toMatchObject(refuses(400))
})

test('nothing that a stranger can make up lets them in, or fails otherwise than by a refusal', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (cookie, query, authorization) => {
      for (const access of ['private', 'token'] as const) {
        expect(ask({ cookie: `${sessionCookie}=${cookie}`, authorization }, { access }).do).toBe('refuse')
        expect(ask({ uri: `/.hearth/enter?ticket=${query}` }, { access }).do).toBe('refuse')
        expect(ask({ uri: `/?hearth_token=${query}` }, { access }).do).toBe('refuse')
      }
    }),
  )
})

test('cookies are split without a change of the others', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,5}=[a-z0-9]{0,5}$/)), (pairs) => {
      const { own, others } = splitCookies([...pairs, `${sessionCookie}=x`].join('; '))
      expect(own).toEqual(['x'])
      expect(others).toBe(pairs.join('; '))
    }),
  )
})
