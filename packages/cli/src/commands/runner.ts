import { join } from 'node:path'
import { Command } from 'commander'
import { joinRunner } from '../dev/join-runner.ts'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import { runnerKind } from '../kinds/runner.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { addLabel, examples, viewOf, wholeNumber } from './options.ts'
import { waitUntil } from './waiting.ts'

export function runnerCommand(invocation: Invocation): Command {
  return new Command('runner')
    .summary('hosts that run machines')
    .addCommand(joinCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(drainCommand(invocation))
}

function joinCommand(invocation: Invocation): Command {
  return new Command('join')
    .summary('make this host a runner: registers it and writes its identity into the state folder')
    .argument('<name>')
    .option('--region <region>', 'where the host is', 'default')
    .option('-l, --label <key=value>', 'for the runner selectors of classes; may be repeated', addLabel)
    .addHelpText('after', examples('hearth runner join rack-7 --region berlin -l disk=nvme'))
    .action(async (name: string, options: { region: string; label?: Record<string, string> }) => {
      const { terminal, signal } = invocation
      const folder = join(stateFolder(invocation), 'agent')
      const connection = client(invocation)
      const runnerId = await joinRunner(
        connection,
        { name, labels: options.label ?? {}, region: options.region },
        { folder, signal },
      )
      terminal.out(`runner ${name} is ${runnerId}; its identity is in ${join(folder, 'runner.json')}`)
      terminal.note(`start its agent with: HEARTH_AGENT_STATE=${folder} node runner-agent/dist/main.js`)
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list runners')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth runner list'))
    .action(async ({ output }: { output: Format }) => {
      const { resources, table } = await runnerKind.list(viewOf(invocation), {})
      show(invocation.terminal, output, resources, table)
    })
}

function drainCommand(invocation: Invocation): Command {
  return new Command('drain')
    .summary('give up a runner’s unclaimed machines and place no new ones there')
    .argument('<name-or-id>')
    .option('--undo', 'let it take machines again')
    .option('--wait', 'return when no machine is left on it')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumber(1, 86_400), 600)
    .addHelpText('after', examples('hearth runner drain rack-7 --wait', 'hearth runner drain rack-7 --undo'))
    .action(async (reference: string, options: { undo?: boolean; wait?: boolean; timeout: number }) => {
      const { terminal, signal } = invocation
      const { runners } = client(invocation)
      const scheduling = options.undo === true ? 'enabled' : 'draining'
      const { metadata } = await runners.update(reference, { spec: { scheduling } }, { signal })
      if (options.wait === true && scheduling === 'draining') {
        const empty = async () => (await runners.get(metadata.id, { signal })).status.environments === 0
        await waitUntil(`${metadata.name} to be empty`, empty, { seconds: options.timeout, signal })
      }
      terminal.out(`runner ${metadata.name} is ${scheduling}`)
    })
}
