import { buffer } from 'node:stream/consumers'
import { appConfigurationFileName, artifactLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { type HandMadeEntry, handMadeZip } from '../../zip.fixture.ts'
import type { ArchiveBytes } from './archive-bytes.ts'
import { checkArchive } from './check-archive.ts'

const bytesOf = (zip: Buffer): ArchiveBytes => ({
  length: zip.length,
  read: async (from, to) => zip.subarray(from, to),
})
const configuration: HandMadeEntry = {
  name: appConfigurationFileName,
  content: '[processes.web]\ncommand = "python3 app.py"\nhttp = true',
}
const check = (entries: readonly HandMadeEntry[], more: Parameters<typeof handMadeZip>[1] = {}) =>
  checkArchive(bytesOf(handMadeZip([configuration, ...entries], more)))

test('an app that an ordinary program packed is taken, with what it says about itself', async () => {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from('[processes.web]\ncommand = "node server.js"'), appConfigurationFileName)
  zip.addBuffer(Buffer.from('listen()'), 'server.js', { mode: 0o100755 })
  zip.addEmptyDirectory('static')
  zip.addBuffer(Buffer.alloc(100_000), 'static/ä b.bin', { forceZip64Format: true })
  zip.addBuffer(Buffer.from('plain'), 'static/plain', { compress: false })
  zip.end({ comment: 'a0b1c2', forceZip64Format: false })
  const checked = await checkArchive(bytesOf(await buffer(zip.outputStream)))
  expect(checked).toMatchObject({
    files: 4,
    configuration: { processes: { web: { command: 'node server.js' } } },
  })
})

test.each<[what: string, entry: HandMadeEntry, told: RegExp]>([
  [
    'leads out of the folder',
    { name: '../evil' },
    /^the entry \.\.\/evil leads out of the folder of the app by "\.\."$/,
  ],
  ['leads out further down', { name: 'a/../../evil' }, /leads out of the folder/],
  ['is a folder that leads out', { name: 'a/../', mode: 0o040755 }, /leads out of the folder/],
  ['has an absolute path', { name: '/etc/passwd' }, /has an absolute path/],
  ['has a backslash', { name: '..\\evil' }, /has a backslash in its name/],
  ['begins with a drive letter', { name: 'C:evil' }, /begins with a drive letter/],
  ['has an empty folder', { name: 'a//b' }, /has an empty folder/],
  ['has a dot for a folder', { name: './a' }, /has an empty folder or "\."/],
  ['has no name', { name: '' }, /has no name/],
  ['has a line break', { name: 'a\nb' }, /^the entry a\ufffdb has a control character/],
  ['has NUL', { name: 'a\0b' }, /has a control character/],
  ['has no UTF-8', { name: Buffer.from([0x61, 0xff]) }, /has a name that is not UTF-8/],
  ['has a long name', { name: 'x'.repeat(300) }, /has a name of more than 255 bytes/],
  ['has a long path', { name: 'x/'.repeat(600).slice(0, -1) }, /has a path of more than 1024 bytes/],
  ['is deep', { name: `${'d/'.repeat(70)}x` }, /is more than 64 folders deep/],
  ['is a symbolic link', { name: 'a', mode: 0o120777, content: '/etc/passwd' }, /is a symbolic link/],
  ['is a device', { name: 'a', mode: 0o020666 }, /is a character device/],
  ['is a block device', { name: 'a', mode: 0o060666 }, /is a block device/],
  ['is a pipe', { name: 'a', mode: 0o010666 }, /is a named pipe/],
  ['is a socket', { name: 'a', mode: 0o140666 }, /is a socket/],
  ['is both', { name: 'a/', mode: 0o100644 }, /is a file by its name and a folder by its type/],
  ['is encrypted', { name: 'a', flags: 0x801, content: 'xxxxxxxxxxxxxxx' }, /is encrypted/],
  ['is compressed otherwise', { name: 'a', method: 14 }, /is compressed by method 14/],
  [
    'lies about its size',
    { name: 'a', content: 'x', unpackedBytes: 1_000_000 },
    /says that 3 bytes unpack to 1000000/,
  ],
  ['is a folder with content', { name: 'a/', mode: 0o040755, content: 'x' }, /is a folder that holds bytes/],
  [
    'has much beside its name',
    { name: 'a', extra: Buffer.from([1, 0, 0xfc, 0x13, ...Array<number>(5_116).fill(0)]) },
    /has more than 4096 bytes beside its name/,
  ],
  [
    'shares bytes',
    { name: 'a', content: 'x', offset: 0, nameInHeader: appConfigurationFileName },
    /shares bytes with another entry/,
  ],
  ['is elsewhere', { name: 'a', content: 'x', offset: 10_000_000 }, /is beyond the end of the file/],
  [
    'is another by its header',
    { name: 'a', nameInHeader: '../a', content: 'x' },
    /is another one by its own header/,
  ],
  [
    'reaches beyond the end',
    { name: 'a', content: 'x', bytes: 90_000, unpackedBytes: 90_000 },
    /is beyond the end of the file|shares bytes/,
  ],
])('an entry that %s: the whole is refused, and the entry named', async (_, entry, told) => {
  const error = await refusal(check([entry]))
  expect(error.message).toMatch(told)
  expect(error).toMatchObject({ code: 'invalid', details: [{ field: 'body.file' }] })
})

test('a path that is there twice, and a file that is the folder of another, are refused', async () => {
  const twice = await refusal(check([{ name: 'a/b' }, { name: 'c' }, { name: 'a/b' }]))
  expect(twice.message).toBe('the entry a/b is in the ZIP twice')
  const both = await refusal(check([{ name: 'a/', mode: 0o040755 }, { name: 'a' }]))
  expect(both.message).toBe('the entry a is in the ZIP twice')
  // Between the two, in the order of characters, stand names that are below neither.
  const below = await refusal(check([{ name: 'a/b/c' }, { name: 'a' }, { name: 'a-b' }, { name: 'a.b' }]))
  expect(below.message).toBe('the entry a is a file, and the folder of a/b/c')
  await expect(
    check([{ name: 'a/', mode: 0o040755 }, { name: 'a/b' }, { name: 'a-b' }]),
  ).resolves.toMatchObject({ files: 3 })
})

test('what unpacks to too much is refused before it is unpacked', async () => {
  const zeros = Buffer.alloc(2_000_000)
  const some = Array.from({ length: 3 }, (_, n) => ({ name: `z${n}`, content: zeros }))
  const zip = bytesOf(handMadeZip([configuration, ...some]))
  const bounds = { ...artifactLimits, ratioFromBytes: 1_000_000 }
  expect((await refusal(checkArchive(zip, bounds))).message).toBe(
    'the ZIP unpacks to more than 100 times its size, with the entry z0',
  )
  expect((await refusal(checkArchive(zip, { ...artifactLimits, unpackedBytes: 5_000_000 }))).message).toBe(
    'the ZIP unpacks to more than 5000000 bytes, with the entry z2',
  )
  await expect(checkArchive(zip)).resolves.toMatchObject({ files: 4 })
})

test('more entries than are taken are refused, by what the ZIP says and by what is there', async () => {
  const few = { ...artifactLimits, entries: 2 }
  const zip = handMadeZip([configuration, { name: 'a' }, { name: 'b' }])
  expect((await refusal(checkArchive(bytesOf(zip), few))).message).toBe(
    'the ZIP has 3 entries, and may have 2',
  )
  expect((await refusal(check([{ name: 'a' }], { count: 60_000 }))).message).toBe(
    'the ZIP has 60000 entries, and may have 50000',
  )
  expect((await refusal(check([{ name: 'a' }], { count: 3 }))).message).toMatch(
    /^this is no ZIP that can be read/,
  )
  const names = { ...artifactLimits, nameBytes: 16 }
  expect((await refusal(checkArchive(bytesOf(zip), names))).message).toBe(
    'the names of the entries have more than 16 bytes together',
  )
})

test('without its configuration it is refused, and told what is missing, where it is, and what is not needed', async () => {
  const without = (entries: HandMadeEntry[]) => refusal(checkArchive(bytesOf(handMadeZip(entries))))
  expect((await without([{ name: 'app.py' }])).message).toBe(
    'the ZIP has no bentocloud.toml in its top folder, which says how the app is run. A Dockerfile is not needed.',
  )
  const below = await without([{ ...configuration, name: 'shop-main/bentocloud.toml' }])
  expect(below.message).toMatch(
    /There is shop-main\/bentocloud\.toml: make the ZIP of what is in that folder\./,
  )
  const faulty = await without([{ ...configuration, content: '[processes.web]\ncomand = "x"' }])
  expect(faulty.message).toMatch(
    /^bentocloud\.toml, line 2, column 1: processes\.web\.comand: there is no such field/m,
  )
  const large = await without([{ ...configuration, content: '#'.repeat(40_000) }])
  expect(large.message).toBe('bentocloud.toml is larger than 32768 bytes')
})

test('what is no ZIP is refused', async () => {
  for (const junk of [
    Buffer.alloc(0),
    Buffer.from('PK'),
    Buffer.alloc(100_000, 'x'),
    Buffer.from('<html>'),
    Buffer.alloc(22),
  ])
    expect((await refusal(checkArchive(bytesOf(junk)))).message).toMatch(/^this is no ZIP that can be read/)
})

test('a failure to read the bytes is no fault of the ZIP', async () => {
  const failing = { length: 1_000, read: () => Promise.reject(new Error('the database is away')) }
  await expect(checkArchive(failing)).rejects.toThrow(/^the database is away$/)
})

test('whatever is changed in a ZIP, it is taken or refused, and never unpacks outside', async () => {
  const zip = handMadeZip([
    configuration,
    { name: 'a/b.txt', content: 'text' },
    { name: 'c/', mode: 0o040755 },
  ])
  const change = fc.record({ at: fc.nat({ max: zip.length - 1 }), byte: fc.nat({ max: 255 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 20 }),
      async (changes, cut) => {
        const changed = Buffer.from(zip)
        for (const { at, byte } of changes) changed[at] = byte
        try {
          await checkArchive(bytesOf(changed.subarray(0, changed.length - cut)))
        } catch (error) {
          expect(error).toBeInstanceOf(HearthError)
          expect(error).toMatchObject({ code: 'invalid' })
        }
      },
    ),
    { numRuns: 1_500 },
  )
})

async function refusal(checked: Promise<unknown>): Promise<HearthError> {
  try {
    await checked
  } catch (error) {
    if (error instanceof HearthError) return error
    throw error
  }
  throw new Error('it was taken')
}
