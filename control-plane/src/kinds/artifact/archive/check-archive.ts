import {
  type AppConfiguration,
  appConfigurationFaultText,
  appConfigurationFileName,
  artifactLimits,
  readAppConfiguration,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl'
import { type ArchiveBytes, ArchiveReader } from './archive-bytes.ts'
import { entryFault, isFolder, nameOf, namesFault, shownName } from './entry-rules.ts'
import { type Placed, placesFault } from './places.ts'

export interface CheckedArchive {
  files: number
  unpackedBytes: number
  configuration: AppConfiguration
}

type Bounds = Record<'entries' | 'nameBytes' | 'unpackedBytes' | 'ratio' | 'ratioFromBytes', number>

const unpacksTo = 'a ZIP that does not unpack to more'

/**
 * Checks that a ZIP can be unpacked into a folder without harm, and reads its configuration. Throws `invalid`, naming the
 * entry. That an entry unpacks to no more than it says is left to who unpacks it.
 */
export async function checkArchive(
  bytes: ArchiveBytes,
  bounds: Bounds = artifactLimits,
): Promise<CheckedArchive> {
  const reader = new ArchiveReader(bytes)
  try {
    return await check(reader, bytes, bounds)
  } catch (error) {
    if (reader.failure !== null) throw reader.failure
    if (error instanceof HearthError) throw error
    throw refused(
      'a ZIP file',
      `this is no ZIP that can be read: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** A fault of the file that was sent. */
export function refused(expected: string, message: string): HearthError {
  return new HearthError('invalid', message, { details: [{ field: 'body.file', given: '', expected }] })
}

const entryRefused = (name: string, fault: string) =>
  refused('a ZIP whose entries are files and folders below its own', `the entry ${shownName(name)} ${fault}`)

async function check(reader: ArchiveReader, bytes: ArchiveBytes, bounds: Bounds): Promise<CheckedArchive> {
  const archive = await fromRandomAccessReaderPromise(reader, bytes.length, {
    autoClose: false,
    decodeStrings: false,
    validateEntrySizes: true,
  })
  if (archive.entryCount > bounds.entries)
    throw refused(
      `a ZIP of at most ${bounds.entries} entries`,
      `the ZIP has ${archive.entryCount} entries, and may have ${bounds.entries}`,
    )
  const { placed, unpackedBytes, configuration } = await readEntries(archive, bytes.length, bounds)
  const fault = namesFault(placed.map(({ name }) => name)) ?? (await placesFault(placed, bytes))
  if (fault !== null) throw entryRefused(fault.name, fault.fault)
  return {
    files: placed.filter(({ name }) => !isFolder(name)).length,
    unpackedBytes,
    configuration: await readConfiguration(archive, configuration ?? null, placed),
  }
}

async function readEntries(archive: ZipFile, archiveBytes: number, bounds: Bounds) {
  const placed: Placed[] = []
  let configuration: Entry | undefined
  let nameBytes = 0
  let unpackedBytes = 0
  for await (const entry of archive.eachEntry()) {
    const name = nameOf(entry.fileNameRaw)
    if (name === null)
      throw entryRefused(entry.fileNameRaw.toString('latin1'), 'has a name that is not UTF-8')
    nameBytes += entry.fileNameLength
    if (nameBytes > bounds.nameBytes)
      throw refused(
        'a ZIP of fewer entries',
        `the names of the entries have more than ${bounds.nameBytes} bytes together`,
      )
    const fault = entryFault({
      name,
      externalAttributes: entry.externalFileAttributes,
      isEncrypted: entry.isEncrypted(),
      method: entry.compressionMethod,
      bytes: entry.compressedSize,
      unpackedBytes: entry.uncompressedSize,
      extraBytes: entry.extraFieldLength + entry.fileCommentLength,
    })
    if (fault !== null) throw entryRefused(name, fault)
    unpackedBytes += entry.uncompressedSize
    if (unpackedBytes > bounds.unpackedBytes)
      throw refused(
        unpacksTo,
        `the ZIP unpacks to more than ${bounds.unpackedBytes} bytes, with the entry ${shownName(name)}`,
      )
    if (unpackedBytes > bounds.ratioFromBytes && unpackedBytes > archiveBytes * bounds.ratio)
      throw refused(
        unpacksTo,
        `the ZIP unpacks to more than ${bounds.ratio} times its size, with the entry ${shownName(name)}`,
      )
    if (name === appConfigurationFileName) configuration = entry
    placed.push({
      name,
      method: entry.compressionMethod,
      bytes: entry.compressedSize,
      offset: entry.relativeOffsetOfLocalHeader,
    })
  }
  return { placed, unpackedBytes, configuration }
}

async function readConfiguration(
  archive: ZipFile,
  entry: Entry | null,
  placed: readonly Placed[],
): Promise<AppConfiguration> {
  const expected = `a ZIP with a ${appConfigurationFileName} in its top folder`
  if (entry === null) throw refused(expected, missing(placed))
  if (entry.uncompressedSize > artifactLimits.configurationBytes)
    throw refused(
      expected,
      `${appConfigurationFileName} is larger than ${artifactLimits.configurationBytes} bytes`,
    )
  const pieces: Buffer[] = []
  for await (const piece of await archive.openReadStreamPromise(entry)) pieces.push(piece as Buffer)
  const text = nameOf(Buffer.concat(pieces))
  if (text === null) throw refused(expected, `${appConfigurationFileName} is not UTF-8`)
  const { configuration, faults } = readAppConfiguration(text.replace(/^\ufeff/, ''))
  if (configuration !== null) return configuration
  throw refused(
    `a ${appConfigurationFileName} without faults`,
    faults.map(appConfigurationFaultText).join('\n'),
  )
}

function missing(placed: readonly Placed[]): string {
  const below = placed.find(({ name }) => name.endsWith(`/${appConfigurationFileName}`))
  const hint =
    below === undefined ? '' : ` There is ${shownName(below.name)}: make the ZIP of what is in that folder.`
  return `the ZIP has no ${appConfigurationFileName} in its top folder, which says how the app is run.${hint} A Dockerfile is not needed.`
}
