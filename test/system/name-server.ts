import { spawn } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'

export interface NameServer extends AsyncDisposable {
  /** As `host:port`. */
  address: string
  /** The names that it knows from now on, each with its address. */
  set(names: Readonly<Record<string, string>>): Promise<void>
}

/** A real name server on the loopback, that knows a few names and asks no other. */
export async function startNameServer(
  folder: string,
  names: Readonly<Record<string, string>>,
): Promise<NameServer> {
  const port = await freePort()
  const path = join(folder, 'names')
  const write = (known: Readonly<Record<string, string>>) =>
    writeFileSync(
      path,
      Object.entries({ ...known, 'is.there': '127.0.0.1' })
        .map(([name, address]) => `${address} ${name}\n`)
        .join(''),
    )
  write(names)
  const child = spawn(
    '/usr/sbin/dnsmasq',
    [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--bind-interfaces'],
      ...['--user=', '--group=', '--pid-file=', '--listen-address=127.0.0.1', '--cache-size=0'],
      ...[`--port=${port}`, `--addn-hosts=${path}`],
    ],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  const resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  const knows = async (name: string, address: string | null) => {
    const found = await resolver.resolve4(name).catch(() => [])
    return (found[0] ?? null) === address ? true : null
  }
  await eventually(() => knows('is.there', '127.0.0.1'), { timeoutMilliseconds: 20_000 })
  let present = names
  return {
    address: `127.0.0.1:${port}`,
    async set(known) {
      write(known)
      child.kill('SIGHUP')
      for (const name of new Set([...Object.keys(present), ...Object.keys(known)]))
        await eventually(() => knows(name, known[name] ?? null), { timeoutMilliseconds: 20_000 })
      present = known
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
