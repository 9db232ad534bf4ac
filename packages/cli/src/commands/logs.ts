import { Command } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { LinesOfSteps } from '../output/lines-of-steps.ts'
import { examples } from './options.ts'

export function logsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what the provisioning steps of an environment printed')
    .argument('<environment>', 'name or id')
    .option('-f, --follow', 'go on until provisioning has ended')
    .option('--step <step>', 'only of this step, for example project_setup or clone_repo.shop')
    .option(
      '--raw',
      'as the guest printed it, with what your terminal obeys: colours, but also titles and more',
    )
    .addHelpText('after', examples('hearth logs -f shop-1', 'hearth logs shop-1 --step project_setup'))
    .action(async (reference: string, { raw, ...options }: LogsOptions) => {
      const { terminal, signal } = invocation
      const { environments } = client(invocation)
      const { metadata } = await environments.get(reference, { signal })
      const write = raw === true ? terminal.verbatim : terminal.raw
      const lines = new LinesOfSteps(options.step === undefined)
      for await (const chunk of environments.logs(metadata.id, { ...options, signal })) {
        write(lines.add(chunk))
      }
      write(lines.rest())
    })
}

interface LogsOptions {
  follow?: boolean
  step?: string
  raw?: boolean
}
