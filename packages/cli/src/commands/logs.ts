import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { environmentOf } from '../following/follow-power.ts'
import { followLog, isAtRest } from '../following/follow-process.ts'
import { client, type Invocation } from '../invocation.ts'
import { findMachine } from '../kinds/find-machine.ts'
import { findProcess, isProcessReference } from '../kinds/find-process.ts'
import { LastLines } from '../output/last-lines.ts'
import { LinesOfSteps } from '../output/lines-of-steps.ts'
import { span } from './life-options.ts'
import { badInput, examples, viewOf, wholeNumber } from './options.ts'

export function logsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what the steps of an environment printed, or its tasks and services')
    .argument('<claim-or-environment>', 'name or id; with /NAME its task or service of that name')
    .option(
      '-f, --follow',
      'go on until provisioning has ended, and a claim is bound; of a task or service until it is at rest',
    )
    .option('--step <step>', 'only of this step, for example project_setup or clone_repo.shop')
    .option('--run <number>', 'only of this run of the task or service', wholeNumber(1, 2_147_483_647))
    .option('--since <span-or-time>', 'of a task or service only what came since, as 10m or a time', moment)
    .option(
      '--tail <lines>',
      'of a task or service only so many of the last lines',
      wholeNumber(0, 1_000_000),
    )
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
        'hearth logs -f claim-0b8a11/web --tail 20',
      ),
    )
    .action(async (reference: string, { raw, ...options }: LogsOptions) => {
      const { terminal, signal } = invocation
      const { environments } = client(invocation)
      const view = viewOf(invocation)
      if (isProcessReference(reference)) return await processLogs(invocation, reference, { raw, ...options })
      for (const field of ['run', 'since', 'tail'] as const)
        if (options[field] !== undefined)
          throw badInput(`--${field}`, reference, 'a task or a service, as in claim-0b8a11/web')
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

async function processLogs(
  invocation: Invocation,
  reference: string,
  { follow = false, raw, step, run, since, tail }: LogsOptions,
): Promise<void> {
  if (step !== undefined) throw badInput('--step', reference, 'an environment or a claim: this one has runs')
  const view = viewOf(invocation)
  const { terminal, clock } = invocation
  const process = await findProcess(view, reference)
  const from = since === undefined ? {} : { since: timeOf(since, clock.now()).toISOString() }
  const write = raw === true ? terminal.verbatim : terminal.raw
  if (tail === undefined) return await followLog(view, process, { run, ...from, follow, write })
  const kept = new LastLines(tail)
  await followLog(view, process, { run, ...from, follow: false, write: (text) => kept.add(text) })
  write(kept.text)
  if (!follow || isAtRest(process)) return
  // What came while the end was looked for is printed too.
  await followLog(view, process, {
    ...{ run, follow: true },
    write: (text) => {
      const news = kept.newsOf(text)
      if (news !== '') write(news)
    },
  })
}

/** `10m` before now in seconds, or a time. */
function moment(text: string): number | Date {
  const time = /^\d{4}-/.test(text) ? new Date(text) : null
  return time === null || Number.isNaN(time.getTime()) ? span(text) : time
}

const timeOf = (since: number | Date, now: Date): Date =>
  since instanceof Date ? since : new Date(now.getTime() - since * 1000)

interface LogsOptions {
  follow?: boolean
  run?: number
  since?: number | Date
  tail?: number
  step?: string
  raw?: boolean
}
