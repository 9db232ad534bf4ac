import type { Duplex } from 'node:stream'

/** Beginning of the first line that every SSH 2 client sends (RFC 4253, section 4.2). */
const beginning = 'SSH-2.0-'

/**
 * Sends the beginning of the client's first line at once and omits it from what is written later: passt before 2024
 * tells a guest of a connection only after the client has sent something, so that a server that speaks first, as an
 * SSH server does, is never heard.
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
