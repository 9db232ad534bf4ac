import { expect, test } from 'vitest'
import { Outlet } from './outlet.ts'

/** A connection whose texts are sent only when the test says so. */
function connection() {
  const waiting: (() => void)[] = []
  return {
    sent: [] as string[],
    leave: () => waiting.shift()?.(),
    send(text: string) {
      this.sent.push(text)
      return new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

test('texts are sent in order, and there is room while little waits', async () => {
  const to = connection()
  const outlet = new Outlet(to, { bytes: 100, messages: 3, stall: 10 })
  expect(await outlet.write('a')).toBe(true)
  expect(await outlet.write('b')).toBe(true)
  expect(to.sent).toEqual(['a', 'b'])
})

test.each([
  ['messages', { bytes: 100, messages: 2 }, 'a'],
  ['bytes', { bytes: 6, messages: 100 }, 'äb'],
])('a full one, by its %s, says so when nothing leaves in time', async (_, bounds, text) => {
  const outlet = new Outlet(connection(), { ...bounds, stall: 20 })
  expect(await outlet.write(text)).toBe(true)
  expect(await outlet.write(text)).toBe(false)
  expect(outlet.waiting().messages).toBe(2)
})

test('a full outlet waits until something has been sent', async () => {
  const to = connection()
  const outlet = new Outlet(to, { bytes: 100, messages: 1, stall: 60_000 })
  const written = outlet.write('a')
  to.leave()
  expect(await written).toBe(true)
  expect(outlet.waiting()).toEqual({ bytes: 0, messages: 0 })
})

test('a text that cannot be sent does not wait either', async () => {
  const outlet = new Outlet(
    { send: () => Promise.reject(new Error('gone')) },
    { bytes: 1, messages: 1, stall: 60_000 },
  )
  expect(await outlet.write('a')).toBe(true)
})
