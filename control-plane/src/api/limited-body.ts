import { HearthError } from '@hearth/foundation'
import type { MiddlewareHandler } from 'hono'

export const mostBodyBytes = 1024 * 1024
const mostDrainedBytes = 16 * mostBodyBytes

/** Types of bodies that a route for uploads reads piece by piece, and bounds by itself. */
const uploadTypes = /^(?:application\/(?:zip|x-zip-compressed|octet-stream)|multipart\/form-data)(?:;|$)/i

/** Bounds all bodies but the uploads to one path. */
export const limitedExcept =
  (uploadPath: RegExp): MiddlewareHandler =>
  (context, next) => {
    const { req } = context
    const isUpload =
      req.method === 'POST' && uploadPath.test(req.path) && uploadTypes.test(req.header('Content-Type') ?? '')
    return isUpload ? next() : limitedBody(context, next)
  }

/**
 * Refuses a body over the limit: by `Content-Length` without storing any of it, and a chunked body while it is read.
 */
export const limitedBody: MiddlewareHandler = async (context, next) => {
  const { req } = context
  const isInPieces = req.header('Transfer-Encoding') !== undefined
  const length = Number(req.header('Content-Length') ?? 0)
  if (!isInPieces && length <= mostBodyBytes) return next()
  const reader = req.raw.body?.getReader()
  if (reader === undefined) return next()
  const pieces: Uint8Array[] = []
  let bytes = 0
  // Keeps reading for a while before refusing: a client that is cut off while sending sees a connection reset and not
  // the answer.
  while (bytes < mostDrainedBytes) {
    const { done, value } = await reader.read()
    if (done) break
    bytes += value.byteLength
    if (bytes <= mostBodyBytes) pieces.push(value)
  }
  if (bytes > mostBodyBytes || length > mostBodyBytes) {
    throw new HearthError('too_large', `the body is too large: at most ${mostBodyBytes / 1024 / 1024} MiB`)
  }
  const { url, method, headers, signal } = req.raw
  req.raw = new Request(url, { method, headers, signal, body: Buffer.concat(pieces) })
  return next()
}
