import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { Code, ConnectError } from '@connectrpc/connect'
import type { Compression } from '@connectrpc/connect/protocol'

const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** What Connect's clients may send and accept; what would grow beyond the bound on a message is refused while it grows. */
export const gzipCompression: Compression = {
  name: 'gzip',
  compress: async (bytes) => new Uint8Array(await compress(bytes)),
  async decompress(bytes, mostBytes) {
    try {
      return new Uint8Array(await decompress(bytes, { maxOutputLength: mostBytes }))
    } catch (thrown) {
      if (thrown instanceof RangeError)
        throw new ConnectError(`the message is too large: at most ${mostBytes} bytes`, Code.ResourceExhausted)
      throw new ConnectError('the message is no valid gzip', Code.InvalidArgument)
    }
  },
}
