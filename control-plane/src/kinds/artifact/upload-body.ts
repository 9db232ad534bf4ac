import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { artifactLimits } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { shownValue } from '../../api/shown-value.ts'

/** What is sent: the bytes of a file, and what a form says beside it once those are read. */
export interface UploadBody {
  bytes: AsyncIterable<Buffer>
  /** To be called after the last byte. */
  fields(): Promise<ReadonlyMap<string, string>>
  /** Gives up the rest. */
  cancel(): void
}

export const uploadTypes = ['application/zip', 'multipart/form-data'] as const
const rawTypes = /^application\/(?:zip|x-zip-compressed|octet-stream)(?:;|$)/i
const formType = /^multipart\/form-data(?:;|$)/i
/** What a form adds to its file. */
const mostFormBytes = 64 * 1024
const fileFields = ['zip_file', 'file']

/** Refuses what says itself that it is no upload, before anything is looked up for it. */
export function refuseOtherBody({ headers }: Request): void {
  const type = headers.get('Content-Type') ?? ''
  const hasBody = (headers.get('Content-Length') ?? '0') !== '0' || headers.has('Transfer-Encoding')
  if (hasBody && !rawTypes.test(type) && !formType.test(type)) throw notAFile(shownValue(type, []))
}

/**
 * Refuses at once what is too large by what it says itself. Where there is a connection it is read from that: a web stream of
 * Node.js takes in thousands of pieces that nobody has asked for.
 */
export function uploadBodyOf(request: Request, incoming: Readable | undefined): UploadBody {
  const { headers } = request
  const type = headers.get('Content-Type') ?? ''
  if (Number(headers.get('Content-Length') ?? 0) > artifactLimits.bytes + mostFormBytes) throw tooLarge()
  const source = incoming ?? (request.body === null ? null : Readable.fromWeb(request.body as ReadableStream))
  if (source === null) throw notAFile('nothing')
  if (rawTypes.test(type)) {
    // Not destroyed: the answer goes out over the same connection.
    const bytes = source.iterator({ destroyOnReturn: false })
    return { bytes, fields: async () => new Map(), cancel: () => undefined }
  }
  if (formType.test(type)) return formBody(source, type)
  throw notAFile(shownValue(type, []))
}

export const tooLarge = () =>
  new HearthError('too_large', `the file is too large: at most ${artifactLimits.bytes / 1024 / 1024} MiB`)

const notAFile = (given: string) =>
  invalidValue({
    field: 'body',
    given,
    expected: `a ZIP as application/zip, or as the field file of multipart/form-data`,
  })

const noFile = () =>
  new HearthError(
    'invalid',
    'body.file: must be a file of the form: there is none in the field file or zip_file',
    {
      details: [{ field: 'body.file', given: 'nothing', expected: 'a file' }],
    },
  )

function formBody(source: Readable, type: string): UploadBody {
  let form: BusboyInstance
  try {
    form = new Busboy({
      headers: { 'content-type': type },
      limits: {
        files: 1,
        fields: 8,
        parts: 9,
        fieldSize: 4_096,
        fileSize: artifactLimits.bytes + 1,
        headerPairs: 16,
        headerSize: 4_096,
      },
    })
  } catch (error) {
    throw new HearthError('invalid', `body: ${error instanceof Error ? error.message : 'this is no form'}`)
  }
  const fields = new Map<string, string>()
  let isDone = false
  const file = new Promise<BusboyFileStream>((resolve, reject) => {
    form.on('file', (name, stream) => {
      // Without a listener an error of the stream would end the process.
      stream.on('error', () => undefined)
      if (fileFields.includes(name)) resolve(stream)
      else {
        stream.resume()
        reject(noFile())
      }
    })
    form.once('finish', () => reject(noFile()))
    form.once('error', (error: unknown) => reject(asInvalid(error)))
  })
  form.on('field', (name, value) => fields.set(name, value))
  const finished = new Promise<void>((resolve, reject) => {
    form.once('filesLimit', () =>
      reject(new HearthError('invalid', 'body: must be a form with one file, got more')),
    )
    form.once('fieldsLimit', () =>
      reject(new HearthError('invalid', 'body: must be a form of at most 8 fields')),
    )
    form.once('finish', resolve)
    form.once('error', (error: unknown) => reject(asInvalid(error)))
    source.once('error', (error) => {
      reject(error)
      form.destroy(error)
    })
  })
  for (const promise of [file, finished]) promise.catch(() => undefined)
  source.pipe(form)
  const cancel = () => {
    if (isDone) return
    isDone = true
    source.unpipe(form)
  }
  return {
    bytes: (async function* bytes() {
      const stream = await Promise.race([file, finished.then(() => file)])
      for await (const piece of stream) yield piece as Buffer
    })(),
    fields: async () => {
      await finished
      isDone = true
      return fields
    },
    cancel,
  }
}

const asInvalid = (error: unknown) =>
  error instanceof HearthError
    ? error
    : new HearthError(
        'invalid',
        `body: must be a whole form: ${error instanceof Error ? error.message : error}`,
      )
