import { expect, test } from 'vitest'
import { memoryHeadBytes, parseMemoryHead } from './memory-image.ts'

function head(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(memoryHeadBytes)
  bytes.write('LibvirtQemudSave', 'latin1')
  bytes.writeUInt32LE(2, 16)
  bytes.writeUInt32LE(69_672, 20)
  change(bytes)
  return bytes
}

test('QEMU’s stream follows libvirt’s head and definition', () => {
  expect(parseMemoryHead(head())).toEqual({ streamOffset: 69_764 })
})

test.each<[string, Buffer, RegExp]>([
  ['one that is cut', head().subarray(0, 91), /does not begin/],
  ['one whose save was cut', head((bytes) => bytes.write('LibvirtQemudPart', 'latin1')), /does not begin/],
  ['one of a later version', head((bytes) => bytes.writeUInt32LE(4, 16)), /version 4/],
  ['a compressed one', head((bytes) => bytes.writeUInt32LE(1, 28)), /compressed/],
])('a memory image that cannot be loaded is refused: %s', (_, bytes, fault) => {
  expect(parseMemoryHead(bytes)).toMatchObject({ fault: expect.stringMatching(fault) as string })
})
