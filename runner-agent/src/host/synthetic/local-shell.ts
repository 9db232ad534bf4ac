import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import type { RunInGuest } from '../../guest/bash/scripted-calls.ts'
import { CallLost } from '../../guest/call.ts'
import { GuestMisbehaved } from '../../guest/guest.ts'

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const receive = 'IFS= read -r size && IFS= LC_ALL=C read -r -d "" -N "$size" program && eval "$program"'
/** In a mount namespace of its own, so that `/home` is the machine's. */
const enter = 'mount --bind -- "$1" /home && exec /bin/bash --noprofile --norc -p -c "$2"'
/** How long what is called off has to end what it has begun. */
const patienceMilliseconds = 5_000

/** Runs programs on this host, by the user of this process; `/home` is a folder of the machine. */
export function runLocally(home: string): RunInGuest {
  return async (program, { purpose, mostBytes, input, signal }) => {
    signal.throwIfAborted()
    await mkdir(home, { recursive: true, mode: 0o700 })
    const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user']
    const words = [
      ...mapped,
      '--mount',
      '--propagation',
      'private',
      '--',
      '/bin/bash',
      '-c',
      enter,
      '',
      home,
      receive,
    ]
    const child = spawn('unshare', words, {
      env: { PATH: path, LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${Buffer.byteLength(program)}\n${program}`)
    if (input !== undefined) child.stdin.write(input)
    return collect(child, purpose, mostBytes, signal)
  }
}

function collect(
  child: ChildProcess,
  purpose: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const printed: Buffer[] = []
  let bytes = 0
  let said = ''
  let timer: NodeJS.Timeout | undefined
  return new Promise((resolve, reject) => {
    const end = () => {
      // Whoever runs a command sees the end of its input, and ends it.
      child.stdin?.end()
      timer ??= setTimeout(() => kill(child), patienceMilliseconds)
    }
    const onAbort = () => {
      end()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= mostBytes) printed.push(chunk)
      else {
        end()
        reject(new GuestMisbehaved(`the guest answered with more than ${mostBytes} bytes to ${purpose}`))
      }
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(0, 1_000)
    })
    child.on('error', (error) =>
      reject(new CallLost(`commands cannot be run on this host: ${error.message}`)),
    )
    child.on('close', (code) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (code === 0) resolve(Buffer.concat(printed))
      else reject(new CallLost(`${purpose} ended with ${code}: ${said}`))
    })
  })
}

function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
