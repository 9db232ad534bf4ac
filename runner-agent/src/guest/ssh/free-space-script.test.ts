import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { edgesProgram, freeSpaceScript } from './free-space-script.ts'

const edges = (input: string) => execFileSync('awk', [edgesProgram], { input, encoding: 'utf8' }).split('\n')

test('of a large extent the edges are overwritten, small ones whole, and what follows each other at once', () => {
  const said = [
    'Filesystem type is: ef53',
    'File size of /.hearth-free is 2785980416 (2720684 blocks of 1024 bytes)',
    ' ext:     logical_offset:        physical_offset: length:   expected: flags:',
    '   0:        0..  909311:    1187840..   2097151: 909312:             unwritten',
    '   1:   909312.. 1826815:    2228224..   3145727: 917504:    2097152: unwritten',
    '   2:  1826816.. 1826819:     395328..    395331:      4:    3145728: unwritten',
    '   3:  1826820.. 1826947:     395336..    395463:    128:     395332: unwritten',
    '1004: 1826948..102711551:     366320.. 101250923: 100884604:     395464: last,unwritten,eof',
    '/.hearth-free: 1005 extents found',
  ].join('\n')
  expect(edges(said)).toEqual([
    '0K 64K',
    '909248K 128K',
    // The end of one, two small ones, and the beginning of the next.
    `${1826816 - 64}K ${64 + 4 + 128 + 64}K`,
    `${102711552 - 64}K 64K`,
    '',
  ])
})

test('nothing is overwritten of a file that takes nothing, or where filefrag is missing', () => {
  expect(edges('/.hearth-free: 0 extents found\n')).toEqual([''])
  expect(edges('')).toEqual([''])
})

test('the script is one that bash reads', () => {
  execFileSync('bash', ['-n', '-c', freeSpaceScript])
})
