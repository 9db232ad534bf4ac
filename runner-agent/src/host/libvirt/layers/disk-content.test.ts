import { expect, test } from 'vitest'
import { partsOf } from './disk-content.ts'

const piece = (start: number, length: number, depth: number, offset: number | null) => ({
  ...{ start, length, depth, present: true, zero: offset === null, data: offset !== null },
  ...(offset === null ? {} : { offset }),
})

test('the file’s own data in the guest’s order, and what the guest sees without a gap between', () => {
  const answer = JSON.stringify([
    piece(0, 65_536, 0, 327_680),
    piece(65_536, 65_536, 0, 131_072),
    piece(131_072, 65_536, 1, 131_072),
    piece(196_608, 65_536, 0, 393_216),
    piece(262_144, 65_536, 0, null),
    piece(327_680, 65_536, 0, 458_752),
  ])
  expect(partsOf(answer)).toEqual([
    { offset: 327_680, length: 65_536, isContinued: false },
    { offset: 131_072, length: 65_536, isContinued: true },
    { offset: 393_216, length: 65_536, isContinued: false },
    { offset: 458_752, length: 65_536, isContinued: false },
  ])
})

test('an answer that is none is refused with its beginning', () => {
  expect(() => partsOf('{"start":')).toThrow(/does not say where .*\{"start":/)
})
