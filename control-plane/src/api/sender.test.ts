import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseNetwork } from '../network.ts'
import { senderKey, senderOf } from './sender.ts'

const proxies = ['10.0.0.0/8', '::1'].flatMap((text) => parseNetwork(text) ?? [])
const stranger = '203.0.113.5'
const client = '198.51.100.7'

test.each([
  ['a connection is its own word', stranger, undefined, stranger],
  ['a stranger’s word about others is nothing', stranger, client, stranger],
  ['a trusted proxy is believed', '10.0.0.1', client, client],
  ['only in what it has added itself', '10.0.0.1', `${client}, ${stranger}`, stranger],
  ['and so is one before it', '10.0.0.1', `${client}, ${stranger},10.2.3.4`, stranger],
  ['a chain of trusted proxies begins with the first', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['what is no address ends at who passed it on', '10.0.0.1', `${client}, for=me`, '10.0.0.1'],
  ['a name is no address', '10.0.0.1', 'localhost', '10.0.0.1'],
  ['a proxy that says nothing is the sender', '10.0.0.1', undefined, '10.0.0.1'],
  ['a port is no part of it', '10.0.0.1', `${client}:4711`, client],
  ['nor of one of IPv6', '::1', '[2001:db8::1]:4711', '2001:db8::1'],
  ['IPv4 within IPv6 is IPv4', '::ffff:10.0.0.1', `::ffff:${client}`, client],
  ['a short form of IPv4 is none', '10.0.0.1', '127.1', '10.0.0.1'],
  ['without a connection nobody is known', null, client, 'unknown'],
])('%s', (_, peer, forwardedFor, sender) => {
  expect(senderOf({ peer, forwardedFor }, proxies)).toBe(sender)
})

test('without trusted proxies, and of a peer that is none, the header changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.ipV4(), (forwardedFor, peer) => {
      expect(senderOf({ peer, forwardedFor }, [])).toBe(peer)
      expect(senderOf({ peer: stranger, forwardedFor }, proxies)).toBe(stranger)
    }),
  )
})

test('whatever a stranger writes before it, what a trusted proxy adds is the sender', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (written) => {
      const forwardedFor = `${written}, ${stranger}`
      expect(senderOf({ peer: '10.0.0.1', forwardedFor }, proxies)).toBe(stranger)
    }),
  )
})

test('all addresses that one host of IPv6 may have are one sender', () => {
  expect(senderKey('2001:db8:0:1:aaaa::1')).toBe(senderKey('2001:db8:0:1:bbbb::2'))
  expect(senderKey('2001:db8:0:1::1')).not.toBe(senderKey('2001:db8:0:2::1'))
  expect(senderKey('fe80::1%eth0')).toBe(senderKey('fe80::2%eth1'))
  expect([senderKey(client), senderKey('unknown')]).toEqual([client, 'unknown'])
})
