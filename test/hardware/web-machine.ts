import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { hearth } from '../system/command.ts'
import type { Installation } from '../system/installation.ts'

const program = fileURLToPath(new URL('web-server.pl', import.meta.url))

/** Starts a web server on ports of a guest. */
export async function startWebServer(
  installation: Pick<Installation, 'url' | 'token'>,
  claim: string,
  ports: readonly number[],
): Promise<void> {
  const text = Buffer.from(await readFile(program)).toString('base64')
  const starts = ports.map(
    (port) => `setsid perl /root/web.pl ${port} </dev/null >/root/web-${port}.log 2>&1 &`,
  )
  const answers = ports.map((port) => `until : </dev/tcp/127.0.0.1/${port}; do sleep 0.2; done 2>/dev/null;`)
  const command = `echo ${text} | base64 -d >/root/web.pl; ${starts.join(' ')} ${answers.join(' ')} cat /root/web-*.log`
  const { status, stdout, stderr } = await hearth(
    installation as Installation,
    'exec',
    claim,
    '--',
    'timeout',
    '60',
    'bash',
    '-c',
    command,
  )
  if (status !== 0 || stdout !== '') throw new Error(`the web server does not start: ${stdout}${stderr}`)
}

/** Where the host reaches a port of a guest that passt forwards, by the port of its SSH server. */
export const forwarded = (sshPort: number, port: number): string =>
  `http://127.77.${sshPort >> 8}.${sshPort & 255}:${port + 10_000}`
