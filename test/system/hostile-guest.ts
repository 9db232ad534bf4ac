import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { generateSecureShellKeyPair } from '@hearth/runner-agent'
import ssh2, { type ServerChannel } from 'ssh2'

/** What a guest's SSH server does with a session; if `open` is null, it never answers the request for one. */
export interface Behaviour {
  open?: 'refused' | 'unanswered'
  /** `given` resolves with the program that the agent sent, once `marker` has been printed. */
  session?(channel: ServerChannel, marker: string, given: () => Promise<string>): void
}

export interface FakeGuest extends AsyncDisposable {
  port: number
  hostKey: string
}

/** An SSH server that accepts every key and behaves as described. */
export async function startGuest({ open, session }: Behaviour): Promise<FakeGuest> {
  const key = generateSecureShellKeyPair('guest')
  const clients = new Set<{ end(): void }>()
  const server = new ssh2.Server({ hostKeys: [key.privateKey] }, (client) => {
    clients.add(client)
    client.on('error', () => undefined)
    client.on('authentication', (context) => context.accept())
    client.on('ready', () =>
      client.on('session', (accept, reject) => {
        if (open === 'refused') return reject()
        if (open === 'unanswered') return
        accept().on('exec', (begin, _, { command }) => {
          const channel = begin()
          channel.on('error', () => undefined)
          session?.(channel, /hearth-[0-9a-f]{32}/.exec(command)?.[0] ?? '', () => programFrom(channel))
        })
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: key.publicKey,
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.end()
      server.close()
    },
  }
}

/** A well-behaved guest: this machine's bash answers. */
export const honest: Behaviour = {
  session: (channel, marker) => {
    const program = `IFS= read -r line; printf '%s\\n' ${marker}; IFS= read -r size && IFS= LC_ALL=C read -r -d '' -N "$size" program && eval "$program"`
    const child = spawn('bash', ['--noprofile', '--norc', '-c', program])
    child.stdin.on('error', () => undefined)
    channel.pipe(child.stdin)
    child.stdout.pipe(channel, { end: false })
    child.stderr.pipe(channel.stderr, { end: false })
    child.on('close', (code) => {
      channel.exit(code ?? 1)
      channel.end()
    })
  },
}

/** Reads the agent's messages: a line that bash ignores, the length, and the program. */
function programFrom(channel: ServerChannel): Promise<string> {
  let text = ''
  return new Promise((resolve) =>
    channel.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const [, length, rest] = /^[^\n]*\n(\d+)\n([\s\S]*)$/.exec(text) ?? []
      if (rest !== undefined && rest.length >= Number(length)) resolve(rest.slice(0, Number(length)))
    }),
  )
}

/** Writes the same text again and again, as fast as it is read. */
export function pour(stream: NodeJS.WritableStream, make: () => string): void {
  const more = () => {
    while (stream.write(make()));
    stream.once('drain', more)
  }
  more()
}

export type Work = 'identify' | 'write' | 'read' | 'steps'

export interface Seen {
  /** How the work in the hostile guest ended: the error's name and message, or `done`. */
  end: string
  /** Growth of the agent's memory meanwhile. */
  grownMebibytes: number
  /** Number of identity checks of the other guest meanwhile, and the duration of the slowest. */
  rounds: number
  slowestMilliseconds: number
}

export interface Assignment {
  work: Work
  /** Time after which the agent gives up. */
  mostMilliseconds: number
  hostile: FakeGuest
  other: FakeGuest
}

/** A separate process that works in guests as the agent does, so that its memory can be measured and it may crash. */
export class GuestWorker implements Disposable {
  private readonly child = fork(new URL('hostile-guest-agent.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
  })

  /** Works in the hostile guest, and checks the other guest meanwhile. */
  async work(assignment: Assignment): Promise<Seen> {
    const settled = new AbortController()
    const { signal } = settled
    try {
      this.child.send(assignment)
      const [seen] = await Promise.race([
        once(this.child, 'message', { signal }) as Promise<[Seen]>,
        once(this.child, 'exit', { signal }).then(() =>
          Promise.reject(new Error('a guest has brought the agent down')),
        ),
      ])
      return seen
    } finally {
      settled.abort()
    }
  }

  [Symbol.dispose](): void {
    this.child.kill()
  }
}
