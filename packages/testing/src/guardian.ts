import { spawn } from 'node:child_process'

const script = `
tail --pid="$1" -s 0.2 -f /dev/null
if tr '\\0' '\\n' < "/proc/$2/cmdline" 2>/dev/null | grep -qF "$3"; then
  kill -INT "$2"
  timeout 20 tail --pid="$2" -s 0.1 -f /dev/null || kill -KILL "$2"
fi
rm -rf "$3"
`

/**
 * Ends the server and removes its folder once this process is gone, however it ended: a test runner that is
 * interrupted runs no clean-up of its own. The folder must stand in the server's command line.
 */
export function guard(serverPid: number, folder: string): void {
  const child = spawn('sh', ['-c', script, 'guardian', String(process.pid), String(serverPid), folder], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  })
  child.unref()
}
