import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { toError } from '@hearth/foundation'
import { type ConnectionOptions, SecureShellConnection } from '../../secure-shell/connection.ts'
import { quote } from '../../secure-shell/quote.ts'
import {
  CommandError,
  type CommandOptions,
  type CommandResult,
  type CommandRunner,
  defaultOutputLimitBytes,
  defaultTimeoutMilliseconds,
} from './command-runner.ts'
import { LineReader, Output } from './output.ts'
import { inPlainWords } from './plain-words.ts'

/** Sends a file into a Unix socket with whichever program the host has. */
const pourScript = `
if command -v perl >/dev/null; then exec perl -MSocket -e '
  my ($path, $offset, $name, $to, $from) = @ARGV;
  $SIG{PIPE} = "IGNORE";
  socket($to, AF_UNIX, SOCK_STREAM, 0) && connect($to, pack_sockaddr_un($name)) or die "$name: $!\\n";
  open($from, "<:raw", $path) && sysseek($from, $offset, 0) or die "$path: $!\\n";
  SEND: while (sysread($from, my $part, 1 << 20)) {
    for (my $sent = 0; $sent < length $part; ) {
      $sent += syswrite($to, $part, length($part) - $sent, $sent) || last SEND;
    }
  }
  shutdown($to, 1);
  1 while sysread($to, my $rest, 4096);
' "$1" "$2" "$3"; fi
if command -v socat >/dev/null; then exec socat -b 1048576 "OPEN:$1,rdonly,seek=$2" "UNIX-CONNECT:$3"; fi
echo "neither perl nor socat is installed" >&2; exit 1
`

/** Commands and files of a remote host, over one kept SSH connection. */
export class SecureShellCommandRunner implements CommandRunner {
  private connection: Promise<SecureShellConnection> | null = null

  constructor(private readonly options: Omit<ConnectionOptions, 'stream'>) {}

  get describedAs(): string {
    return `${this.options.user}@${this.options.host}`
  }

  async run(command: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
    const { exitCode, output } = await this.execute(command, options)
    return { exitCode, stdout: output.text('stdout'), stderr: output.text('stderr') }
  }

  async follow(
    command: readonly [string, ...string[]],
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const connection = await this.connected()
    const lines = new LineReader(line)
    // A remote command survives its channel; this one ends when its input ends.
    const script =
      'exec 3<&0; "$@" 3<&- & child=$!; { cat <&3; kill "$child"; } >/dev/null 2>&1 & exec 3<&-; wait "$child"'
    const words = inPlainWords(['sh', '-c', script, 'sh', ...command])
    const execution = await connection.execute(words.map(quote).join(' '), {
      keepInputOpen: true,
      onStdout: (chunk) => lines.add(chunk),
      signal,
    })
    await execution.exitCode.catch(() => undefined)
  }

  async readFile(path: string): Promise<Buffer | null> {
    const script = `[ -e "$1" ] || exit 44; exec cat -- "$1"`
    const { exitCode, output } = await this.execute(['sh', '-c', script, 'sh', path], {})
    if (exitCode === 44) return null
    if (exitCode !== 0) throw new CommandError(['read', path], output.text('stderr').trim())
    return output.bytesOf('stdout')
  }

  async writeFile(path: string, content: string | Buffer, mode: number): Promise<void> {
    const bytes = Buffer.from(content)
    // The size is checked because a lost connection also ends the input.
    const script =
      'set -e; mkdir -p -m 711 -- "$2"; umask 077; cat >"$1.new"; ' +
      '[ "$(wc -c <"$1.new")" -eq "$4" ]; chmod "$3" "$1.new"; mv -- "$1.new" "$1"'
    const parameters = [path, dirname(path), mode.toString(8), String(bytes.length)]
    const result = await this.run(['sh', '-c', script, 'sh', ...parameters], { input: bytes })
    if (result.exitCode !== 0) throw new CommandError(['write', path], result.stderr.trim())
  }

  async readPart(path: string, offset: number, length: number): Promise<Buffer> {
    const part = [
      'iflag=skip_bytes,count_bytes',
      `skip=${offset}`,
      `count=${length}`,
      'bs=256K',
      'status=none',
    ]
    const { exitCode, output } = await this.execute(['dd', `if=${path}`, ...part], {
      outputLimitBytes: length + defaultOutputLimitBytes,
    })
    if (exitCode !== 0) throw new CommandError(['read', path], output.text('stderr').trim())
    return output.bytesOf('stdout')
  }

  async writePart(path: string, offset: number, content: Buffer): Promise<void> {
    // The size is checked because a lost connection also ends the input.
    const script =
      'umask 077; dd of="$1" oflag=seek_bytes seek="$2" conv=notrunc bs=256K iflag=fullblock status=none && ' +
      '[ "$(stat -c %s -- "$1")" -ge "$(($2 + $3))" ]'
    const parameters = [path, String(offset), String(content.length)]
    const result = await this.run(['sh', '-c', script, 'sh', ...parameters], { input: content })
    if (result.exitCode !== 0) throw new CommandError(['write', path], result.stderr.trim())
  }

  async pour(path: string, offset: number, socket: string, timeoutMilliseconds: number): Promise<void> {
    const command = ['sh', '-c', pourScript, 'sh', path, String(offset), socket] as const
    const result = await this.run(command, { timeoutMilliseconds })
    if (result.exitCode !== 0) throw new CommandError(['pour', path], result.stderr.trim())
  }

  async list(path: string): Promise<string[]> {
    const script = '[ -d "$1" ] || exit 0; cd -- "$1" && find . -mindepth 1 -maxdepth 1 -print0'
    const { exitCode, output } = await this.execute(['sh', '-c', script, 'sh', path], {})
    if (exitCode !== 0) throw new CommandError(['list', path], output.text('stderr').trim())
    return output
      .text('stdout')
      .split('\0')
      .filter((name) => name !== '')
      .map((name) => name.slice(2))
  }

  async rename(from: string, to: string): Promise<void> {
    const script = '[ -e "$1" ] || exit 0; exec mv -T -- "$1" "$2"'
    const result = await this.run(['sh', '-c', script, 'sh', from, to])
    if (result.exitCode !== 0) throw new CommandError(['rename', from], result.stderr.trim())
  }

  async remove(path: string): Promise<void> {
    const result = await this.run(['rm', '-rf', '--', path])
    if (result.exitCode !== 0) throw new CommandError(['remove', path], result.stderr.trim())
  }

  async connect(host: string, port: number): Promise<Duplex> {
    return (await this.connected()).forward(host, port)
  }

  async close(): Promise<void> {
    const open = this.connection
    this.connection = null
    if (open === null) return
    await open.then(
      (connection) => connection.close(),
      () => undefined,
    )
  }

  private async execute(
    command: readonly [string, ...string[]],
    options: CommandOptions,
  ): Promise<{ exitCode: number; output: Output }> {
    const limit = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds
    const tooMuch = new AbortController()
    const output = new Output(options.outputLimitBytes ?? defaultOutputLimitBytes, () =>
      tooMuch.abort(new Error('said more than the limit')),
    )
    const signals = [tooMuch.signal, ...(options.signal === undefined ? [] : [options.signal])]
    // Closing a channel does not end the remote command, so the time limit is set on the remote host as well.
    const limited = inPlainWords(['timeout', '--kill-after=5', String(Math.ceil(limit / 1000)), ...command])
    try {
      const connection = await this.connected()
      const execution = await connection.execute(limited.map(quote).join(' '), {
        input: options.input ?? '',
        onStdout: (chunk) => output.add('stdout', chunk),
        onStderr: (chunk) => output.add('stderr', chunk),
        signal: AbortSignal.any(signals),
        timeoutMilliseconds: limit + 10_000,
      })
      return { exitCode: await execution.exitCode, output }
    } catch (thrown) {
      throw new CommandError(command, `${toError(thrown).message} (on ${this.describedAs})`)
    }
  }

  private connected(): Promise<SecureShellConnection> {
    if (this.connection !== null) return this.connection
    const opening = SecureShellConnection.open(this.options)
    this.connection = opening
    const forget = () => {
      if (this.connection === opening) this.connection = null
    }
    opening.then((connection) => connection.onEnd(forget), forget)
    return opening
  }
}
