import type { Duplex } from 'node:stream'

/** What every client of SSH 2 says first (RFC 4253, section 4.2). */
const beginning = 'SSH-2.0-'

/**
 * Says the beginning of a client's first line at once, and leaves it out of what is written later: passt before 2024
 * does not tell a guest that a connection is made until the client has sent something, so that a server which speaks
 * first, as SSH's does, is never heard.
 */
export function speakFirst(stream: Duplex): Duplex {
  const write = stream.write.bind(stream) as (chunk: Buffer, ...rest: unknown[]) => boolean
  let left = Buffer.byteLength(beginning)
  write(Buffer.from(beginning))
  stream.write = (chunk: Buffer | string, ...rest: unknown[]) => {
    const bytes = Buffer.from(chunk as string)
    const rested = bytes.subarray(left)
    left -= bytes.length - rested.length
    return write(rested, ...rest.filter((parameter) => typeof parameter === 'function'))
  }
  return stream
}
