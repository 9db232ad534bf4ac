import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { environmentOf } from '../following/follow-power.ts'
import { client, type Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { LinesOfSteps } from '../output/lines-of-steps.ts'
import { examples, viewOf } from './options.ts'

export function logsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what the steps of an environment, or of a claim’s, printed')
    .argument('<claim-or-environment>', 'name or id')
    .option('-f, --follow', 'go on until provisioning has ended, and a claim is bound')
    .option('--step <step>', 'only of this step, for example project_setup or clone_repo.shop')
    .option(
      '--raw',
      'as the guest printed it, with what your terminal obeys: colours, but also titles and more',
    )
    .addHelpText(
      'after',
      examples(
        'hearth logs -f shop-1',
        'hearth logs shop-1 --step project_setup',
        'hearth logs claim-0b8a11 --step checkout_repo.shop',
      ),
    )
    .action(async (reference: string, { raw, ...options }: LogsOptions) => {
      const { terminal, signal } = invocation
      const { environments } = client(invocation)
      const view = viewOf(invocation)
      const found = await findMachine(view, reference)
      const environment = await environmentOf(view, found)
      if (environment === null)
        throw new HearthError('conflict', `claim ${reference} has no environment any more`)
      const { metadata } = environment
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
