import type { GuestCommand } from '../../guest/guest.ts'
import { quote } from '../../secure-shell/quote.ts'

/** Gives the guest another host name at once; the machine's seed has it from the next start on. Builtins only. */
export function hostNameCommand(hostname: string, root = ''): GuestCommand {
  const name = quote(hostname)
  const at = (path: string) => quote(`${root}${path}`)
  const script = [
    `printf '%s\\n' ${name} >${at('/etc/hostname')} || exit`,
    `printf '%s\\n' ${name} >${at('/proc/sys/kernel/hostname')} || exit`,
    'hosts= found=',
    'while IFS= read -r line || [ -n "$line" ]; do',
    `  [[ $line == 127.0.1.1[[:blank:]]* ]] && found=1 line="127.0.1.1 "${name}`,
    "  hosts+=$line$'\\n'",
    `done <${at('/etc/hosts')}`,
    `[ -n "$found" ] || hosts+="127.0.1.1 "${name}$'\\n'`,
    `printf %s "$hosts" >${at('/etc/hosts')} || exit`,
    `printf 'The host name is %s.\\n' ${name}`,
  ].join('\n')
  return { name: `hostname ${hostname}`, command: script, timeoutSeconds: null }
}
