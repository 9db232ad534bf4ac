import { type GuestVolume, type GuestVolumes, VolumeRefused } from '../volume.ts'
import type { Links } from './links.ts'
import { runProgram } from './run-program.ts'
import { shown } from './shown.ts'
import { mountScript, unmountScript, volumeExits } from './volume-script.ts'

/** The volumes of a guest, mounted over SSH. */
export class SshVolumes implements GuestVolumes {
  constructor(
    private readonly links: Links,
    private readonly user: string,
  ) {}

  mount(volume: GuestVolume, signal: AbortSignal): Promise<void> {
    return this.run('mounting a volume', mountScript(volume, this.user), signal)
  }

  unmount(volume: GuestVolume, force: boolean, signal: AbortSignal): Promise<void> {
    return this.run('unmounting a volume', unmountScript(volume, force), signal)
  }

  private async run(purpose: string, script: string, signal: AbortSignal): Promise<void> {
    const { exitCode, stdout, stderr } = await this.links.retrying(signal, ({ shells }) =>
      runProgram(shells, script, { purpose, mostBytes: 16 * 1024, signal }),
    )
    if (exitCode === 0) return
    const said = shown(`${stdout.toString('utf8')}${stderr}`).trim()
    const code = exitCode === volumeExits.busy ? 'volume_busy' : 'guest_misbehaved'
    throw new VolumeRefused(code, said === '' ? `${purpose} ended with ${exitCode}` : said)
  }
}
