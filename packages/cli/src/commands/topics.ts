import { Command } from 'commander'
import { exitCodeHelp } from '../exit-codes.ts'
import { kinds } from '../kinds/kinds.ts'
import { renderTable } from '../output/table.ts'

const exitCodes = () =>
  [
    'What the exit status says:',
    '',
    renderTable({
      columns: ['STATUS', 'MEANING'],
      rows: exitCodeHelp.map(({ code, meaning }) => [String(code), meaning]),
    }),
    '',
    '`hearth ssh` and `hearth exec` end with the status of what they ran.',
  ].join('\n')

const kindTable = () =>
  renderTable({
    columns: ['KIND', 'ALSO', 'IS'],
    rows: kinds.map(({ names: [name, ...others], summary }) => [name, others.join(', '), summary]),
  })

const context = () =>
  [
    'Which control plane a command talks to, and with which token; the first that is there counts:',
    '',
    '  1. --url and --token',
    '  2. HEARTH_URL and HEARTH_TOKEN',
    '  3. context.json in the folder given by --state or HEARTH_STATE',
    '  4. ~/.config/hearth/context.json, which holds {"url": "http://...", "token": "..."}',
    '  5. context.json in the default state folder, where `hearth dev` writes it',
    '',
    'Several control planes of one installation stand with commas between their addresses: the next is asked when one',
    'does not answer.',
    '',
    'The default state folder is /var/lib/hearth for root, ~/.local/state/hearth else. A token in a file is sent to',
    'the address in that file only. `hearth token create NAME` makes a token.',
  ].join('\n')

/** Topics that `hearth help` explains in addition to the commands. */
export function topicCommands(): Command[] {
  return [topic('exit-codes', exitCodes), topic('kinds', kindTable), topic('context', context)]
}

function topic(name: string, text: () => string): Command {
  const command = new Command(name)
  command.helpInformation = () => `${text()}\n`
  return command.action(() => command.outputHelp())
}
