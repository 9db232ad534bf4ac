import { request } from 'node:http'
import { adminHost } from './config.ts'

const answerMilliseconds = 10_000
const mostAnswerBytes = 1024 * 1024

/** Nothing listens on the socket. */
export class NotThere extends Error {
  override readonly name = 'NotThere'
}

/** Asks a Caddy on its socket; resolves with the answer's text. Throws NotThere where there is none, and its refusal otherwise. */
export async function askCaddy(
  socketPath: string,
  {
    method,
    path,
    body,
    headers = {},
  }: {
    method: 'GET' | 'POST'
    path: string
    body?: string
    headers?: Readonly<Record<string, string>>
  },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath,
        method,
        path,
        headers: { host: adminHost, 'content-type': 'application/json', ...headers },
        signal: AbortSignal.timeout(answerMilliseconds),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let bytes = 0
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > mostAnswerBytes) answer.destroy(new Error('Caddy answers too much'))
          else chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          if (answer.statusCode === 200) resolve(text)
          else reject(new Error(`Caddy refuses ${path}: ${answer.statusCode} ${text.slice(0, 500)}`))
        })
      },
    )
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? new NotThere(error.message) : error),
    )
    asked.end(body)
  })
}
