import { buffer } from 'node:stream/consumers'
import type { Deployment } from '@hearth/contract'
import { ZipFile } from 'yazl'
import type { Installation } from './installation.ts'

/** An app as it is uploaded: its `bentocloud.toml`, and files. */
export async function appZip(
  configuration: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Buffer<ArrayBuffer>> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from(configuration), 'bentocloud.toml')
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name)
  zip.end()
  return Buffer.from(await buffer(zip.outputStream))
}

/** Uploads an app to a space; throws what is answered where it is not taken. */
export async function deploy(
  { url, token }: Pick<Installation, 'url' | 'token'>,
  space: string,
  zip: Buffer<ArrayBuffer>,
  displayName = '',
): Promise<Deployment> {
  const query = displayName === '' ? '' : `?displayName=${encodeURIComponent(displayName)}`
  const response = await fetch(`${url}/v1/spaces/${space}/deployments${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
    body: zip,
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${text}`)
  return JSON.parse(text) as Deployment
}
