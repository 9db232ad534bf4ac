import { Command } from 'commander'
import { readProjectFile } from '../apply/project-file.ts'
import { followPools } from '../following/follow-pools.ts'
import { followPrebuilds } from '../following/follow-prebuilds.ts'
import { followServices } from '../following/follow-services.ts'
import { hasPrebuildEnded } from '../following/prebuild-state.ts'
import { applyAndRevive } from '../following/revive-pools.ts'
import { UpSession } from '../following/up-session.ts'
import { client, type Invocation } from '../invocation.ts'
import { applyText } from '../output/apply-text.ts'
import { examples } from './options.ts'

export function upCommand(invocation: Invocation): Command {
  return new Command('up')
    .summary(
      'apply a project file and follow it live until every pool and what it serves is ready or failed, and its prebuilds have ended',
    )
    .option('-f, --file <path>', 'the project file; - for standard input', 'hearth.yaml')
    .addHelpText('after', examples('hearth up', 'hearth up -f examples/quickstart/hearth.yaml'))
    .action(async ({ file }: { file: string }) => {
      const { terminal, clock, signal } = invocation
      const declaration = readProjectFile(file)
      const connection = client(invocation)
      await using session = await UpSession.open(connection, file)
      const result = await session.applying(() => applyAndRevive(connection, declaration, signal))
      terminal.out(applyText(declaration.name, result))
      const pools = result.warmPools
        .filter(({ change }) => change !== 'deleted')
        .map(({ id, environmentClass }) => ({
          id,
          title: `warm pool ${declaration.name}/${environmentClass}`,
        }))
      await followPools(connection, pools, { terminal, clock, signal })
      await followServices(
        connection,
        pools.map(({ id }) => id),
        { terminal, signal },
      )
      terminal.out(
        pools.length === 0 ? 'there is no warm pool to wait for' : `ready: hearth claim ${declaration.name}`,
      )
      const prebuilds = await connection.prebuilds.listAll({ projectId: result.projectId }, { signal })
      const working = prebuilds.filter((prebuild) => !hasPrebuildEnded({ prebuild }))
      if (working.length === 0) return
      // Claims are served meanwhile, and a prebuild that fails leaves what they start from as it is.
      for (const { metadata, status } of await followPrebuilds(connection, working, {
        terminal,
        clock,
        signal,
      })) {
        const cause = status.failure === null ? '' : `: ${status.failure.message}`
        terminal.out(`prebuild ${metadata.name} is ${status.phase}${cause}`)
      }
    })
}
