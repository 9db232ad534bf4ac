/**
 * How a bash is started whatever the login shell of the user is, and whatever its start-up files do. The SSH server
 * gives a command to the login shell; that shell, if it is one, replaces itself by bash, which reads no profile and
 * nothing that the environment names (`-p`), prints `marker` on a line of its own, and runs the program that it is
 * sent: its length in bytes on a line, and then as many bytes. What was printed before the marker is not the
 * program's. Any shell understands it: there is nothing in the quotes but blanks, letters and double quotes.
 */
export function receivingCommand(marker: string): string {
  return `exec ${bash} '${ignoreFallback}${receive(marker)}'`
}

/**
 * The line that the session is sent first. Where a start-up file has replaced the login shell by another one
 * (`exec dash` in `.bashrc`), the command is lost, and that shell takes its commands from here; bash ignores the line.
 */
export function fallbackLine(marker: string): string {
  return `exec ${bash} '${receive(marker)}'\n`
}

const bash = '/bin/bash --noprofile --norc -p -c'
const ignoreFallback = 'IFS= read -r line; '

const receive = (marker: string) =>
  `printf "%s\\n" ${marker}; IFS= read -r size && IFS= LC_ALL=C read -r -d "" -N "$size" program && eval "$program"`
