import { resolve } from 'node:path'
import type { ObserverAccess } from '@hearth/contract'
import { Command, InvalidArgumentError } from 'commander'
import { client, type Invocation } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { writePrivateFile } from '../private-file.ts'
import { examples, wholeNumber } from './options.ts'

export function observerCommand(invocation: Invocation): Command {
  return new Command('observer')
    .summary('programs that read events from NATS')
    .addCommand(createCommand(invocation))
    .addCommand(listCommand(invocation))
    .addCommand(renewCommand(invocation))
    .addCommand(deleteCommand(invocation))
}

interface AccessOptions {
  hours: number
  credentials?: string
  output: Format
}

interface CreateOptions extends AccessOptions {
  start: ReturnType<typeof start>
  unacknowledged: number
}

function createCommand(invocation: Invocation): Command {
  return withAccess(new Command('create'))
    .summary('make one, and write its credentials into a file')
    .argument('<name>')
    .option(
      '--unacknowledged <count>',
      'how many it may be given before it acknowledges; over 1 the order may break',
      wholeNumber(1, 1_000),
      1,
    )
    .option('--start <where>', 'its first event: oldest, new, or a stream sequence', start, 'new')
    .addHelpText(
      'after',
      examples('hearth observer create billing --start oldest --credentials billing.creds'),
    )
    .action(async (name: string, options: CreateOptions) => {
      const { hours, unacknowledged } = options
      const body = { name, hours, unacknowledged, start: options.start }
      const access = await client(invocation).observers.create(body, { signal: invocation.signal })
      showAccess(invocation, access, options)
    })
}

function listCommand(invocation: Invocation): Command {
  return new Command('list')
    .summary('list observers')
    .addOption(outputOption())
    .addHelpText('after', examples('hearth observer list'))
    .action(async ({ output }: { output: Format }) => {
      const observers = await client(invocation).observers.listAll({}, { signal: invocation.signal })
      show(invocation.terminal, output, observers, () => ({
        columns: ['NAME', 'ENDS', 'ID'],
        rows: observers.map(({ name, expiresAt, id }) => [name, expiresAt, id]),
      }))
    })
}

function renewCommand(invocation: Invocation): Command {
  return withAccess(new Command('renew'))
    .summary('new credentials for one; it goes on where it is')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth observer renew billing --hours 720'))
    .action(async (reference: string, options: AccessOptions) => {
      const { hours } = options
      const access = await client(invocation).observers.renew(
        reference,
        { hours },
        { signal: invocation.signal },
      )
      showAccess(invocation, access, options)
    })
}

function deleteCommand(invocation: Invocation): Command {
  return new Command('delete')
    .summary('end one: its credentials reach nothing from then on')
    .argument('<name-or-id>')
    .addHelpText('after', examples('hearth observer delete billing'))
    .action(async (reference: string) => {
      await client(invocation).observers.delete(reference, { signal: invocation.signal })
      invocation.terminal.out(`observer ${reference} deleted`)
    })
}

function withAccess(command: Command): Command {
  return command
    .option('--hours <hours>', 'how long the credentials are good for', wholeNumber(1, 720), 24)
    .option('--credentials <file>', 'where to write them; by default NAME.creds, here')
    .addOption(outputOption())
}

function start(text: string): 'oldest' | 'new' | number {
  if (text === 'oldest' || text === 'new') return text
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('oldest, new, or a sequence from 1 on is needed.')
}

/**
 * Writes the credentials to a file that only its owner can read, not to the screen; with `-o json`, programs get them
 * with the rest.
 */
function showAccess({ terminal }: Invocation, access: ObserverAccess, options: AccessOptions): void {
  const { observer, nats } = access
  const lines = [
    `observer ${observer.name} is ${observer.id}, until ${observer.expiresAt}`,
    `servers ${nats.servers.join(',')}, stream ${nats.stream}, consumer ${nats.consumer}, domain ${nats.domain}, inbox prefix ${nats.inboxPrefix}`,
  ]
  if (options.output === 'table' && nats.credentials !== null) {
    const file = resolve(options.credentials ?? `${observer.name}.creds`)
    writePrivateFile(file, nats.credentials)
    lines.push(`credentials in ${file}`)
  }
  show(terminal, options.output, access, () => lines.join('\n'))
}
