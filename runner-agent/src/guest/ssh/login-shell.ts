/**
 * Starts bash whatever the user's login shell is and whatever its start-up files do. The SSH server passes a command
 * to the login shell; that shell replaces itself by bash, which reads no profile and no file named by a variable
 * (`-p`), prints `marker` on a line of its own, and runs the program it is sent: its length in bytes on a line, then
 * that many bytes. Output before the marker does not belong to the program. Any shell understands the command: it
 * quotes nothing but blanks, letters and double quotes.
 */
export function receivingCommand(marker: string): string {
  return `exec ${bash} '${ignoreFallback}${receive(marker)}'`
}

/**
 * The first line sent to the session. If a start-up file replaced the login shell by another shell (`exec dash` in
 * `.bashrc`), the command is lost and that shell reads its commands from here; bash ignores the line.
 */
export function fallbackLine(marker: string): string {
  return `exec ${bash} '${receive(marker)}'\n`
}

const bash = '/bin/bash --noprofile --norc -p -c'
const ignoreFallback = 'IFS= read -r line; '

const receive = (marker: string) =>
  `printf "%s\\n" ${marker}; IFS= read -r size && IFS= LC_ALL=C read -r -d "" -N "$size" program && eval "$program"`
