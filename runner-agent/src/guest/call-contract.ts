import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallFault, CallRefused, type GuestCalls, type GuestExec } from './call.ts'

export interface CallContractSetting {
  calls: GuestCalls
}

/** The contract of the calls of every guest: each promise is the name and the body of a test. */
export const callContract: readonly (readonly [
  promise: string,
  holds: (setting: CallContractSetting) => Promise<void>,
])[] = [
  [
    'a command has its folder, no input, and both outputs apart, byte for byte',
    async (setting) => {
      await write(setting, '/home/calls/here', 'x')
      const end = await run(setting, 'pwd; cat; printf "a\\0b\\377" >&2; echo $USER $HOME; exit 3', {
        folder: '/home/calls',
      })
      deepStrictEqual(end.exitCode, 3)
      deepStrictEqual(end.stdout, { bytes: Buffer.from('/home/calls\nroot /root\n'), isCut: false })
      deepStrictEqual(end.stderr, { bytes: Buffer.from([97, 0, 98, 255]), isCut: false })
    },
  ],
  [
    'how a command ended is told as a shell tells it',
    async (setting) => {
      const endings: [string, number][] = [
        ['true', 0],
        ['exit 137', 137],
        ['kill -9 $$', 137],
        ['no-such-program', 127],
        ['if', 2],
      ]
      for (const [command, exitCode] of endings) strictEqual((await run(setting, command)).exitCode, exitCode)
    },
  ],
  [
    'of what is printed without end the beginning is kept, and the command goes on to its end',
    async (setting) => {
      const end = await run(
        setting,
        'head -c 3000000 /dev/zero | tr "\\0" o; head -c 200000 /dev/zero >&2; echo done >/home/long',
        { mostOutputBytes: 100_000 },
      )
      deepStrictEqual([end.exitCode, end.stdout.isCut, end.stderr.isCut], [0, true, true])
      deepStrictEqual(end.stdout.bytes, Buffer.alloc(100_000, 'o'))
      strictEqual(end.stderr.bytes.length, 100_000)
      strictEqual(await read(setting, '/home/long'), 'done\n')
    },
  ],
  [
    'when its time is up, a command is ended with all that it has started, and what it printed is told',
    async (setting) => {
      const end = await run(
        setting,
        '(trap "" TERM; sleep 1000 & echo $! >/home/stubborn; wait; sleep 1000) & echo begun; while :; do sleep 1000; done',
        { limitSeconds: 1 },
      )
      deepStrictEqual([end.exitCode, end.stdout.bytes.toString()], [null, 'begun\n'])
      strictEqual(await isRunning(setting, '/home/stubborn'), false)
    },
  ],
  [
    'whoever leaves ends the command, and no other',
    async (setting) => {
      const leaving = new AbortController()
      const command = 'echo $$ >/home/left; sleep 1000'
      const left = setting.calls.exec(exec(command), leaving.signal)
      const other = run(setting, 'sleep 2; echo whole')
      const refused = rejects(left)
      while ((await run(setting, 'test -s /home/left')).exitCode !== 0) await delay(50)
      leaving.abort(new Error('has left'))
      await refused
      while (await isRunning(setting, '/home/left')) await delay(50)
      strictEqual((await other).stdout.bytes.toString(), 'whole\n')
    },
  ],
  [
    'what a command leaves behind goes on and holds nobody up',
    async (setting) => {
      const began = performance.now()
      const end = await run(setting, 'sleep 300 & echo $!')
      ok(performance.now() - began < 30_000)
      const pid = end.stdout.bytes.toString().trim()
      strictEqual((await run(setting, `kill ${pid}`)).exitCode, 0)
    },
  ],
  [
    'a folder that is not there is refused',
    (setting) => refuses(run(setting, 'true', { folder: '/home/no/such' }), 'no_folder'),
  ],
  [
    'many calls at once do not mix',
    async (setting) => {
      const ends = await Promise.all(
        Array.from({ length: 8 }, (_, index) => run(setting, `sleep 0.2; echo ${index}`)),
      )
      deepStrictEqual(
        ends.map(({ stdout }) => stdout.bytes.toString()),
        Array.from({ length: 8 }, (_, index) => `${index}\n`),
      )
    },
  ],
  [
    'a file is read from any byte on, with its size and digest, whatever its name and content',
    async (setting) => {
      const content = randomBytes(300_000)
      const path = `/home/deep/it's "a"\nname/ü`
      await setting.calls.writeFile(path, content, 'create', patience())
      const sha256 = createHash('sha256').update(content).digest('hex')
      for (const [offset, length] of [
        [0, 1_000_000],
        [299_990, 100],
        [5, 7],
        [400_000, 5],
      ] as const) {
        const bytes = content.subarray(offset, offset + length)
        deepStrictEqual(await setting.calls.readFile(path, offset, length, patience()), {
          ...{ kind: 'file', size: 300_000, sha256, bytes },
        })
      }
    },
  ],
  [
    'a folder is listed with the kinds and sizes of what is in it',
    async (setting) => {
      await write(setting, '/home/listed/b/c', 'deep')
      await write(setting, '/home/listed/a\nb', '12345')
      await run(setting, 'ln -s b /home/listed/link; mkfifo /home/listed/pipe')
      const listed = await setting.calls.readFile('/home/listed', 0, 10, patience())
      ok(listed.kind === 'folder' && !listed.isCut)
      deepStrictEqual(
        listed.entries.map(({ name, isFolder }) => [name, isFolder]),
        [
          ['a\nb', false],
          ['b', true],
          ['link', true],
          ['pipe', false],
        ],
      )
      strictEqual(listed.entries[0]?.size, 5)
      await refuses(setting.calls.readFile('/home/listed/pipe', 0, 10, patience()), 'no_file')
      await refuses(setting.calls.readFile('/home/listed/none', 0, 10, patience()), 'missing')
    },
  ],
  [
    'a file is written as its mode says, and keeps what it was allowed',
    async (setting) => {
      const path = '/home/modes/file'
      await refuses(write(setting, path, 'no', 'truncate'), 'missing')
      await write(setting, path, 'first', 'create')
      await refuses(write(setting, path, 'no', 'create'), 'exists')
      await run(setting, `chmod 750 ${path}`)
      await write(setting, path, ' and more', 'append')
      strictEqual(await read(setting, path), 'first and more')
      await write(setting, path, 'short', 'truncate')
      strictEqual(await read(setting, path), 'short')
      await write(setting, path, '', 'createOrTruncate')
      strictEqual(await read(setting, path), '')
      strictEqual((await run(setting, `stat -c %a ${path}`)).stdout.bytes.toString(), '750\n')
      await refuses(write(setting, '/home/modes', 'no', 'createOrTruncate'), 'no_file')
      await refuses(write(setting, `${path}/below`, 'no', 'create'), 'no_folder')
    },
  ],
]

const patience = () => AbortSignal.timeout(120_000)

function exec(command: string, more: Partial<GuestExec> = {}): GuestExec {
  return { id: randomUUID(), command, folder: '/', limitSeconds: 60, mostOutputBytes: 1_000_000, ...more }
}

const run = ({ calls }: CallContractSetting, command: string, more: Partial<GuestExec> = {}) =>
  calls.exec(exec(command, more), patience())

const write = (
  { calls }: CallContractSetting,
  path: string,
  text: string,
  mode: 'create' | 'truncate' | 'createOrTruncate' | 'append' = 'createOrTruncate',
) => calls.writeFile(path, Buffer.from(text), mode, patience())

async function read({ calls }: CallContractSetting, path: string): Promise<string> {
  const seen = await calls.readFile(path, 0, 1_000_000, patience())
  return seen.kind === 'file' ? seen.bytes.toString() : 'a folder'
}

/** Whether the process goes on whose id is in a file. Nobody may have waited for one that has ended. */
async function isRunning(setting: CallContractSetting, path: string): Promise<boolean> {
  const command = `read -r pid <${path} && read -r _ _ state _ <"/proc/$pid/stat" && [ "$state" != Z ]`
  return (await run(setting, command)).exitCode === 0
}

async function refuses(call: Promise<unknown>, fault: CallFault): Promise<void> {
  await rejects(call, (thrown) => thrown instanceof CallRefused && thrown.fault === fault)
}
