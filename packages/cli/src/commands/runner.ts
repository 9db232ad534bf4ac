import { join } from 'node:path'
import type { RunnerSpec } from '@hearth/contract'
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
    .addCommand(cordonCommand(invocation))
    .addCommand(drainCommand(invocation))
    .addCommand(uncordonCommand(invocation))
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

function cordonCommand(invocation: Invocation): Command {
  return new Command('cordon')
    .summary('place no new environments on a runner; those it has stay')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth runner cordon rack-7'))
    .action(async (reference: string) => {
      const name = await schedule(invocation, reference, 'cordoned')
      invocation.terminal.out(`runner ${name} is cordoned`)
    })
}

function uncordonCommand(invocation: Invocation): Command {
  return new Command('uncordon')
    .summary('let a cordoned or drained runner take environments again')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth runner uncordon rack-7'))
    .action(async (reference: string) => {
      const name = await schedule(invocation, reference, 'enabled')
      invocation.terminal.out(`runner ${name} takes environments again`)
    })
}

function drainCommand(invocation: Invocation): Command {
  return new Command('drain')
    .summary(
      'have unclaimed environments replaced elsewhere and place no new ones; claimed ones stay until released',
    )
    .argument('<name-or-id>')
    .option('--wait', 'return when no environment is left on it')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumber(1, 86_400), 600)
    .addHelpText('after', examples('hearth runner drain rack-7 --wait'))
    .action(async (reference: string, options: { wait?: boolean; timeout: number }) => {
      const { terminal, signal } = invocation
      const name = await schedule(invocation, reference, 'draining')
      if (options.wait === true) {
        const { runners } = client(invocation)
        const empty = async () => (await runners.get(name, { signal })).status.environments === 0
        await waitUntil(`${name} to be empty`, empty, { seconds: options.timeout, signal })
      }
      terminal.out(`runner ${name} is ${options.wait === true ? 'drained' : 'draining'}`)
    })
}

/** The runner's name. */
async function schedule(
  invocation: Invocation,
  reference: string,
  scheduling: RunnerSpec['scheduling'],
): Promise<string> {
  const { runners } = client(invocation)
  const { metadata } = await runners.update(
    reference,
    { spec: { scheduling } },
    { signal: invocation.signal },
  )
  return metadata.name
}
