import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Artifact, artifactLimits } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
let sql: pg.Client

beforeAll(async () => {
  installation = await startInstallation()
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
})
beforeEach(() => sql.query('DELETE FROM artifacts'))
afterAll(async () => {
  await sql.end()
  await installation[Symbol.asyncDispose]()
})

/** An app with a file of so many bytes that do not compress. */
async function app(bytes: number, entry = 'data.bin'): Promise<Buffer<ArrayBuffer>> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from('[processes.web]\ncommand = "node server.js"\nhttp = true'), 'bentocloud.toml')
  zip.addBuffer(randomBytes(bytes), entry, { compress: false })
  zip.end()
  return Buffer.from(await buffer(zip.outputStream))
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function send(
  body: string | FormData | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
  token = installation.token,
) {
  const response = await fetch(`${installation.url}/v1/artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
  })
  const answer = (await response.json()) as Artifact & { error: { message: string; details: object[] } }
  return { status: response.status, answer, retryAfter: response.headers.get('Retry-After') }
}
const sendZip = (zip: Buffer<ArrayBuffer>) => send(zip, { 'content-type': 'application/zip' })

async function kept(): Promise<{ artifacts: number; chunks: number }> {
  const { rows } = await sql.query<{ artifacts: number; chunks: number }>(
    'SELECT (SELECT count(*)::int FROM artifacts) AS artifacts, (SELECT count(*)::int FROM artifact_chunks) AS chunks',
  )
  return rows[0] ?? { artifacts: -1, chunks: -1 }
}

async function storedBytes(id: string): Promise<Buffer> {
  const { rows } = await sql.query<{ content: Buffer }>(
    'SELECT content FROM artifact_chunks WHERE artifact_id = $1 ORDER BY number',
    [id],
  )
  return Buffer.concat(rows.map(({ content }) => content))
}

test('an app is stored byte for byte, with what it says about itself', async () => {
  const zip = await app(3_500_000)
  const { status, answer } = await sendZip(zip)
  expect(status).toBe(201)
  expect(answer).toMatchObject({
    digest: sha256(zip),
    bytes: zip.length,
    files: 2,
    configuration: { processes: { web: { command: 'node server.js', http: { port: 8_000 } } } },
  })
  expect(sha256(await storedBytes(answer.id))).toBe(sha256(zip))
  expect(await kept()).toEqual({ artifacts: 1, chunks: 4 })
  const headers = { authorization: `Bearer ${installation.token}` }
  const shown = await fetch(`${installation.url}/v1/artifacts/${answer.id}`, { headers })
  expect(await shown.json()).toEqual(answer)
})

test('the same app is stored once in an organization, however it is sent, also at once; and in another on its own', async () => {
  const zip = await app(1_200_000)
  const form = () => {
    const data = new FormData()
    data.set('display_name', 'first')
    data.set('zip_file', new Blob([zip], { type: 'application/zip' }), 'app.zip')
    return data
  }
  const sent = await Promise.all([sendZip(zip), send(form()), sendZip(zip), send(form())])
  expect(sent.map(({ status }) => status)).toEqual([201, 201, 201, 201])
  expect(new Set(sent.map(({ answer }) => answer.id)).size).toBe(1)
  expect(await kept()).toEqual({ artifacts: 1, chunks: 2 })
  const other = await installation.client.organizations.create({
    name: 'other',
    spec: { displayName: 'Other' },
  })
  const { answer } = await send(zip, { 'content-type': 'application/zip' }, other.token)
  expect(answer.id).not.toBe(sent[0]?.answer.id)
  const foreign = await fetch(`${installation.url}/v1/artifacts/${sent[0]?.answer.id}`, {
    headers: { authorization: `Bearer ${other.token}` },
  })
  expect(foreign.status).toBe(404)
})

test('what is refused leaves nothing, and the answer names what is wrong', async () => {
  const hostile = await app(2_000_000, 'aa/evil')
  const name = Buffer.from('aa/evil')
  for (let at = hostile.indexOf(name); at >= 0; at = hostile.indexOf(name, at + 1))
    hostile.write('../evil', at)
  const outside = await sendZip(hostile)
  expect(outside.status).toBe(400)
  expect(outside.answer.error.message).toMatch(/^the entry \.\.\/evil leads out of the folder/)
  const none = await sendZip(Buffer.from('this is no zip'))
  expect(none.answer.error.message).toMatch(/^this is no ZIP/)
  const json = await send('{}', { 'content-type': 'application/json' })
  expect([json.status, json.answer.error.details]).toMatchObject([400, [{ field: 'body' }]])
  const empty = new FormData()
  empty.set('zip_file', 'only text')
  expect((await send(empty)).answer.error.message).toMatch(/^body\.file: must be a file of the form/)
  const two = new FormData()
  for (const field of ['zip_file', 'file']) two.set(field, new Blob([new Uint8Array(10)]), 'app.zip')
  expect((await send(two)).status).toBe(400)
  const otherField = new FormData()
  otherField.set('upload', new Blob([new Uint8Array(3_000_000)]), 'app.zip')
  expect((await send(otherField)).answer.error.message).toMatch(/^body\.file/)
  const cutForm = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nPK'
  expect((await send(cutForm, { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(400)
  expect((await send('x', { 'content-type': 'multipart/form-data' })).status).toBe(400)
  expect(await kept()).toEqual({ artifacts: 0, chunks: 0 })
})

/** Sends the beginning of an upload and no more; resolves with what ends it. */
function sendPart(part: Buffer, length: number) {
  const sent = request(`${installation.url}/v1/artifacts`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${installation.token}`,
      'content-type': 'application/zip',
      'content-length': length,
    },
  })
  const status = new Promise<number | undefined>((resolve) => {
    sent.once('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.once('error', () => resolve(undefined))
  })
  sent.write(part)
  return { status, end: () => sent.destroy() }
}
const untilKept = (chunks: number) =>
  eventually(async () => (await kept()).chunks === chunks, { timeoutMilliseconds: 10_000 })

test('one that says that it is too large is refused at once', async () => {
  const sent = sendPart(Buffer.from('PK'), artifactLimits.bytes + 1_000_000)
  expect(await sent.status).toBe(413)
  sent.end()
  expect(await kept()).toEqual({ artifacts: 0, chunks: 0 })
})

test('an upload that ends midway leaves nothing', async () => {
  const sent = sendPart(randomBytes(2_500_000), 10_000_000)
  await untilKept(2)
  sent.end()
  await eventually(async () => (await kept()).artifacts === 0, { timeoutMilliseconds: 10_000 })
  expect(await kept()).toEqual({ artifacts: 0, chunks: 0 })
})

test('an upload whose control plane was killed is removed, and one that nothing needs after an hour', async () => {
  const zip = await app(10)
  const { answer } = await sendZip(zip)
  const half = sendPart(randomBytes(1_500_000), 10_000_000)
  await untilKept(2)
  await housekeeping(installation)
  expect((await kept()).artifacts).toBe(2)
  await sql.query("UPDATE artifacts SET touched_at = now() - interval '3 minutes'")
  await housekeeping(installation)
  expect(await kept()).toEqual({ artifacts: 1, chunks: 1 })
  // Sent again, it is needed anew.
  await sql.query("UPDATE artifacts SET touched_at = now() - interval '61 minutes'")
  expect((await sendZip(zip)).answer.id).toBe(answer.id)
  await housekeeping(installation)
  expect(await kept()).toEqual({ artifacts: 1, chunks: 1 })
  await sql.query("UPDATE artifacts SET touched_at = now() - interval '61 minutes'")
  await sql.query('INSERT INTO artifact_holds VALUES ($1, $1)', [answer.id])
  await housekeeping(installation)
  expect(await kept()).toEqual({ artifacts: 1, chunks: 1 })
  await sql.query('DELETE FROM artifact_holds')
  await housekeeping(installation)
  expect(await kept()).toEqual({ artifacts: 0, chunks: 0 })
  half.end()
})

test('an organization sends eight at once; a ninth is told to come again, and other requests are answered', async () => {
  const open = Array.from({ length: 8 }, () => sendPart(randomBytes(1_100_000), 10_000_000))
  await untilKept(8)
  const ninth = await sendZip(await app(10))
  expect([ninth.status, ninth.retryAfter]).toEqual([429, '5'])
  expect(ninth.answer.error.message).toMatch(/^your organization sends 8 files at the moment/)
  expect(await installation.client.whoami()).toMatchObject({ roles: ['administrator'] })
  for (const { end } of open) end()
  await eventually(async () => (await sendZip(await app(10))).status === 201, { timeoutMilliseconds: 10_000 })
})
