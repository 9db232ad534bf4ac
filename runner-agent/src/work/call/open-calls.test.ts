import { expect, test } from 'vitest'
import { OpenCalls } from './open-calls.ts'

test('whoever listens leaves half of the room of a machine and of a host to calls that end', () => {
  const open = new OpenCalls()
  const listening = Array.from({ length: 4 }, () => open.begin('machine', true))
  expect(() => open.begin('machine', true)).toThrow('4 streams are open to the machine')
  const short = Array.from({ length: 4 }, () => open.begin('machine'))
  expect(() => open.begin('machine')).toThrow('8 calls are open to the machine')
  for (const end of [...listening, ...short]) end()
  for (let count = 0; count < 32; count += 1) open.begin(`machine ${count % 8}`, true)
  expect(() => open.begin('machine', true)).toThrow('32 streams are open to the host')
  for (let count = 0; count < 32; count += 1) open.begin(`machine ${count % 8}`)
  expect(() => open.begin('machine')).toThrow('64 calls are open to the host')
})

test('the room of a call that was refused or has ended is there again, once', () => {
  const open = new OpenCalls()
  const ends = Array.from({ length: 4 }, () => open.begin('machine', true))
  for (let count = 0; count < 20; count += 1) expect(() => open.begin('machine', true)).toThrow('4 streams')
  const [end] = ends
  end?.()
  end?.()
  open.begin('machine', true)
  expect(() => open.begin('machine', true)).toThrow('4 streams')
  for (let count = 0; count < 4; count += 1) open.begin('machine')
  expect(() => open.begin('machine')).toThrow('8 calls')
})
