import { Command } from 'commander'
import { readProjectFile } from '../apply/project-file.ts'
import { followPools } from '../following/follow-pools.ts'
import { applyAndRevive } from '../following/revive-pools.ts'
import { client, type Invocation } from '../invocation.ts'
import { applyText } from '../output/apply-text.ts'
import { examples } from './options.ts'

export function upCommand(invocation: Invocation): Command {
  return new Command('up')
    .summary('apply a project file and follow it live until every pool is ready or failed')
    .option('-f, --file <path>', 'the project file; - for standard input', 'hearth.yaml')
    .addHelpText('after', examples('hearth up', 'hearth up -f examples/quickstart/hearth.yaml'))
    .action(async ({ file }: { file: string }) => {
      const { terminal, clock, signal } = invocation
      const declaration = readProjectFile(file)
      const connection = client(invocation)
      const result = await applyAndRevive(connection, declaration, signal)
      terminal.out(applyText(declaration.name, result))
      const pools = result.warmPools
        .filter(({ change }) => change !== 'deleted')
        .map(({ id, environmentClass }) => ({
          id,
          title: `warm pool ${declaration.name}/${environmentClass}`,
        }))
      await followPools(connection, pools, { terminal, clock, signal })
      terminal.out(
        pools.length === 0 ? 'there is no warm pool to wait for' : `ready: hearth claim ${declaration.name}`,
      )
    })
}
