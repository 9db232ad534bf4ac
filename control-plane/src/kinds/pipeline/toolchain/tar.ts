/** A file of an archive; its path has no slash at its begin. */
export interface ArchivedFile {
  path: string
  content: Buffer
}

const blockBytes = 512
/** Of the field that has the path. */
const mostPathBytes = 100

/** The files as a ustar archive. The same files are the same bytes. */
export function tarOf(files: readonly ArchivedFile[]): Buffer {
  const blocks = files.flatMap(({ path, content }) => [
    headerOf(path, content.length),
    content,
    Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes),
  ])
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}

function headerOf(path: string, bytes: number): Buffer {
  if (Buffer.byteLength(path) > mostPathBytes)
    throw new Error(`${path} is too long for an archive: at most ${mostPathBytes} bytes`)
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  header.write(path, 0)
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(bytes, 11), 124)
  header.write(octal(0, 11), 136)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  // The sum is that of a header in which it is spaces.
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)} `, 148)
  return header
}
