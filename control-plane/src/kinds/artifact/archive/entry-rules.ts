import { artifactLimits, controlCharacters, startOfText } from '@hearth/contract'

const { pathBytes, segmentBytes, depth } = artifactLimits
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name of an entry as text; null where it is not UTF-8. */
export function nameOf(raw: Uint8Array): string | null {
  try {
    return utf8.decode(raw)
  } catch {
    return null
  }
}

/** What is wrong with a name, to be read after the name itself; null where nothing is. */
export function nameFault(name: string): string | null {
  if (name === '' || name === '/') return 'has no name'
  if (Buffer.byteLength(name) > pathBytes) return `has a path of more than ${pathBytes} bytes`
  if (controlCharacters.test(name)) return 'has a control character in its name'
  if (name.includes('\\')) return 'has a backslash in its name: folders are separated by /'
  if (name.startsWith('/')) return 'has an absolute path: it would be outside of the folder of the app'
  if (/^[A-Za-z]:/.test(name))
    return 'begins with a drive letter: it would be outside of the folder of the app'
  const segments = pathOf(name).split('/')
  if (segments.includes('..')) return 'leads out of the folder of the app by ".."'
  if (segments.some((segment) => segment === '' || segment === '.'))
    return 'has an empty folder or "." in its path'
  if (segments.length > depth) return `is more than ${depth} folders deep`
  if (segments.some((segment) => Buffer.byteLength(segment) > segmentBytes))
    return `has a name of more than ${segmentBytes} bytes`
  return null
}

/** Without the slash that ends the name of a folder. */
export const pathOf = (name: string) => (name.endsWith('/') ? name.slice(0, -1) : name)
export const isFolder = (name: string) => name.endsWith('/')

const typeMask = 0o170000
const typeFile = 0o100000
const typeFolder = 0o040000
const types = new Map([
  [0o120000, 'a symbolic link'],
  [0o060000, 'a block device'],
  [0o020000, 'a character device'],
  [0o010000, 'a named pipe'],
  [0o140000, 'a socket'],
])

export interface EntryFacts {
  name: string
  externalAttributes: number
  isEncrypted: boolean
  /** 0 for stored, 8 for deflated. */
  method: number
  bytes: number
  unpackedBytes: number
  /** Of what stands beside the name in the directory. */
  extraBytes: number
}

/** No byte of deflated data unpacks to more. */
const mostDeflated = 1_032
const slackBytes = 1_024
const mostExtraBytes = 4_096

/** What is wrong with an entry by itself; null where nothing is. */
export function entryFault(entry: EntryFacts): string | null {
  const fault = nameFault(entry.name)
  if (fault !== null) return fault
  const type = (entry.externalAttributes >>> 16) & typeMask
  if (type !== 0 && type !== typeFile && type !== typeFolder)
    return `is ${types.get(type) ?? 'neither a file nor a folder'}: only files and folders are unpacked`
  if ((type === typeFolder && !isFolder(entry.name)) || (type === typeFile && isFolder(entry.name)))
    return 'is a file by its name and a folder by its type, or the other way round'
  if (entry.isEncrypted) return 'is encrypted: make the ZIP without a password'
  if (entry.method !== 0 && entry.method !== 8)
    return `is compressed by method ${entry.method}: only deflated and stored entries are unpacked`
  if (entry.method === 0 && entry.bytes !== entry.unpackedBytes) return 'is stored, and says two sizes'
  if (isFolder(entry.name) && entry.unpackedBytes > 0) return 'is a folder that holds bytes of its own'
  if (entry.extraBytes > mostExtraBytes) return `has more than ${mostExtraBytes} bytes beside its name`
  if (entry.unpackedBytes > entry.bytes * mostDeflated + slackBytes)
    return `says that ${entry.bytes} bytes unpack to ${entry.unpackedBytes}: no file does`
  return null
}

/** What is wrong with a set of names: one twice, or below one that is a file; null where nothing is. */
export function namesFault(names: readonly string[]): { name: string; fault: string } | null {
  // With the lowest character between folders, what is below a path follows it at once.
  const sorted = names.map((name) => pathOf(name).replaceAll('/', '\0')).toSorted()
  const files = new Set(names.filter((name) => !isFolder(name)))
  for (const [index, path] of sorted.entries()) {
    const next = sorted[index + 1]
    if (next === undefined) break
    const name = path.replaceAll('\0', '/')
    if (next === path) return { name, fault: 'is in the ZIP twice' }
    if (files.has(name) && next.startsWith(`${path}\0`))
      return { name, fault: `is a file, and the folder of ${shownName(next.replaceAll('\0', '/'))}` }
  }
  return null
}

const everyControlCharacter = new RegExp(controlCharacters, 'g')

/** A name of a stranger for a message. */
export function shownName(name: string): string {
  const plain = name.replace(everyControlCharacter, '\ufffd')
  const start = startOfText(plain, 200)
  return start === plain ? plain : `${start}…`
}
