import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { untilDeployed, untilWebApp } from '../hardware/apps.ts'
import { run } from '../hardware/command.ts'
import { deploy } from '../system/app-zip.ts'
import { until } from '../system/following.ts'
import { type GuestService, startGuestService } from './guest-service.ts'
import { archiveMebibytes, largeArchive } from './large-archive.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 5
const bootMilliseconds = 600_000
const port = 8_000

/** It answers with its release, as both ways of bringing it are waited for. */
const server = (release: string) => `import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"${release}")
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
`
const configuration = `[processes.web]
command = "exec python3 server.py"
http = true
http_port = ${port}
health_check = "/"
`

/** A server beside much else; nothing has to be installed. */
const archiveOf = (release: string) => largeArchive(configuration, { 'server.py': server(release) })

/** A deployment from its upload until it has succeeded, against scp, unzip and a restart of a service in the same guest. */
export async function benchDeploy(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  await using guests = await startGuestService(1, {}, 'debian-12-web')
  const { address, spaceId } = await prepare(guests)
  const byHand = await ByHand.set(address, guests.agentKeyPath, folder)
  const seconds = { hearth: [] as number[], hand: [] as number[] }
  for (let round = -1; round < rounds; round += 1) {
    const archive = await archiveOf(`release-${round}`)
    const hand = await byHand.bring(archive, `release-${round}`)
    const hearth = await bring(guests, spaceId, archive)
    process.stderr.write(`deploy: ${hearth.toFixed(1)} s, by hand ${hand.toFixed(1)} s\n`)
    if (round < 0) continue
    seconds.hand.push(hand)
    seconds.hearth.push(hearth)
  }
  const [hearth, floor] = [median(seconds.hearth), median(seconds.hand)]
  return [{ measure: `deploy of ${archiveMebibytes} MiB`, hearth, floor, unit: 's', most: 1.5 }]
}

async function prepare({ service: { client }, environmentClassId }: GuestService) {
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'deploy' })
  const made = await client.environments.create({ name: 'measured', spec: { projectId, environmentClassId } })
  const look = () => client.environments.get(made.metadata.id)
  const { status } = await until(
    client,
    'the machine',
    look,
    (machine) => machine.status.phase === 'running',
    bootMilliseconds,
  )
  if (status.address === null) throw new Error('the machine has no address')
  const app = await client.webApps.create({
    name: 'measured',
    spec: { environment: made.metadata.id, runtime: 'python3' },
  })
  await untilWebApp(client, app, (one) => one.status.phase === 'ready')
  return { address: status.address, spaceId: app.status.spaceIds.uat }
}

async function bring(
  { service }: GuestService,
  spaceId: string,
  archive: Buffer<ArrayBuffer>,
): Promise<number> {
  const began = performance.now()
  const { status } = await untilDeployed(service.client, await deploy(service, spaceId, archive))
  if (status.phase !== 'succeeded')
    throw new Error(`the deployment ${status.phase}: ${status.failure?.message}`)
  return (performance.now() - began) / 1_000
}

/** As somebody does it who has a machine, a service in it, and nothing else. */
class ByHand {
  private constructor(
    private readonly options: readonly string[],
    private readonly address: Address,
    private readonly archive: string,
  ) {}

  static async set(address: Address, keyPath: string, folder: string): Promise<ByHand> {
    const knownHosts = join(folder, 'known_hosts')
    await writeFile(knownHosts, `[${address.host}]:${address.port} ${address.hostKey}\n`)
    const options = [
      '-F',
      'none',
      '-i',
      keyPath,
      '-o',
      'BatchMode=yes',
      '-o',
      `UserKnownHostsFile=${knownHosts}`,
    ]
    const byHand = new ByHand(options, address, join(folder, 'by-hand.zip'))
    const unit = `[Service]\nWorkingDirectory=/srv/by-hand\nEnvironment=PORT=9000\nExecStart=/usr/bin/python3 server.py\n`
    await byHand.inGuest(
      `mkdir -p /srv/by-hand && printf '%s' '${unit}' >/etc/systemd/system/by-hand.service && systemctl daemon-reload`,
    )
    return byHand
  }

  /** Seconds until the new release answers. */
  async bring(archive: Buffer, release: string): Promise<number> {
    await writeFile(this.archive, archive)
    const { user, host, port: sshPort } = this.address
    const began = performance.now()
    await run([
      'scp',
      ...this.options,
      '-P',
      String(sshPort),
      this.archive,
      `${user}@${host}:/srv/by-hand.zip`,
    ])
    await this.inGuest(
      `set -e; unzip -qq -o /srv/by-hand.zip -d /srv/by-hand; systemctl restart by-hand.service
until [ "$(curl -s http://127.0.0.1:9000/)" = ${release} ]; do read -r -t 0.1 <> <(:) || :; done`,
    )
    return (performance.now() - began) / 1_000
  }

  private async inGuest(command: string): Promise<void> {
    const { user, host, port: sshPort } = this.address
    await run(['ssh', ...this.options, '-p', String(sshPort), `${user}@${host}`, command])
  }
}
