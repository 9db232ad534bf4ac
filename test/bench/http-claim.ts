import { generateKeyPairSync } from 'node:crypto'
import { type Agent, request } from 'node:http'

export interface Answer {
  status: number
  text: string
}

/** `node:http` and not `fetch`, whose own cost per call is larger than a claim's. */
export async function call(
  agent: Agent,
  { method, url, token }: { method: 'POST' | 'DELETE'; url: string; token: string },
  body?: unknown,
): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(text === '' ? {} : { 'Content-Type': 'application/json' }),
      'Content-Length': Buffer.byteLength(text),
    }
    const sent = request(url, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

export interface Claimant {
  agent: Agent
  url: string
  token: string
  publicKey: string
}

/** Claims a ready machine, with a certificate, or is refused. */
export async function claimOverHttp(
  { agent, url, token, publicKey }: Claimant,
  wanted: { project: string | undefined } | { warmPoolId: string },
): Promise<Answer> {
  const spec = { ...wanted, fallback: 'refuse', publicKey }
  return call(agent, { method: 'POST', url: `${url}/v1/claims`, token }, { spec })
}

/** Throws unless the answer is of a claim whose machine can be entered. */
export function requireServed({ status, text }: Answer): void {
  if (status === 201 && text.includes('-cert-v01@openssh.com')) return
  throw new Error(`claim answered ${status}: ${text.slice(0, 300)}`)
}

export function newPublicKey(): string {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const length = (bytes: number) => Buffer.from([0, 0, 0, bytes])
  const blob = Buffer.concat([length(11), Buffer.from('ssh-ed25519'), length(32), raw])
  return `ssh-ed25519 ${blob.toString('base64')}`
}
