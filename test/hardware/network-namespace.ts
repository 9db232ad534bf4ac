import { type ChildProcess, spawn } from 'node:child_process'
import { LocalCommandRunner } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { attempt, type CommandResult, run } from './command.ts'

/** Greeting of the server in the namespace. */
export const greeting = 'reached'

/** A separate network namespace: nothing in it reaches this machine's network. */
export class NetworkNamespace implements AsyncDisposable {
  private readonly children: ChildProcess[] = []

  private constructor(readonly name: string) {}

  static async make(name: string): Promise<NetworkNamespace> {
    await run(['ip', 'netns', 'add', name])
    const namespace = new NetworkNamespace(name)
    await namespace.run('ip', 'link', 'set', 'lo', 'up')
    return namespace
  }

  /** Two namespaces joined by a cable, each end with its addresses. */
  static async connect(sides: readonly { namespace: NetworkNamespace; addresses: readonly string[] }[]) {
    const [first, second] = sides
    if (first === undefined || second === undefined) throw new Error('a cable has two ends')
    const peer = ['peer', 'name', 'lan0', 'netns', second.namespace.name]
    await first.namespace.run('ip', 'link', 'add', 'lan0', 'type', 'veth', ...peer)
    for (const { namespace, addresses } of sides) {
      for (const address of addresses) await namespace.run('ip', 'address', 'add', address, 'dev', 'lan0')
      await namespace.run('ip', 'link', 'set', 'lan0', 'up')
    }
  }

  async run(...command: [string, ...string[]]): Promise<string> {
    return run(['ip', 'netns', 'exec', this.name, ...command])
  }

  attempt(...command: [string, ...string[]]): Promise<CommandResult> {
    return attempt(['ip', 'netns', 'exec', this.name, ...command])
  }

  /** Resolves when the server listens; it greets each connection and closes it. */
  async listen(address: string, port: number): Promise<void> {
    const program =
      'const [address, port, text] = process.argv.slice(1);' +
      'require("node:net").createServer((socket) => socket.on("error", () => 0).end(text))' +
      '.listen(Number(port), address, () => console.log("listening"))'
    await this.start(process.execPath, ['-e', program, address, String(port), greeting])
  }

  /** Starts a program and resolves with its first output. */
  start(program: string, parameters: readonly string[], environment = process.env): Promise<void> {
    const child = spawn('ip', ['netns', 'exec', this.name, program, ...parameters], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: environment,
    })
    this.children.push(child)
    return new Promise((resolve, reject) => {
      child.stdout?.once('data', () => resolve())
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))
    })
  }

  /** Starts a server and resolves when it accepts connections. */
  async serve(
    program: string,
    parameters: readonly string[],
    address: string,
    port: number,
    environment = process.env,
  ): Promise<void> {
    this.children.push(
      spawn('ip', ['netns', 'exec', this.name, program, ...parameters], {
        stdio: 'ignore',
        env: environment,
      }),
    )
    const connect = `exec 3<>/dev/tcp/${address}/${port}`
    await eventually(async () => (await this.attempt('bash', '-c', connect)).exitCode === 0, {
      timeoutMilliseconds: 20_000,
    })
  }

  /** Commands and files of an agent's host, as they are inside the namespace. */
  runner(): LocalCommandRunner {
    const runner = new LocalCommandRunner()
    const { run: runHere, readFile: readHere } = runner
    const within = ['ip', 'netns', 'exec', this.name] as const
    runner.run = (command, options) => runHere.call(runner, [...within, ...command], options)
    runner.readFile = async (path) => {
      if (!path.startsWith('/proc/net/')) return readHere.call(runner, path)
      return Buffer.from(await this.run('cat', path))
    }
    return runner
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL')
    // Also processes that those started themselves, as git starts its daemon.
    const { stdout } = await attempt(['ip', 'netns', 'pids', this.name])
    for (const pid of stdout.split('\n').filter((line) => line !== '')) await attempt(['kill', '-KILL', pid])
    await run(['ip', 'netns', 'delete', this.name])
  }
}
