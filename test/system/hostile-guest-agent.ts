import { connect } from 'node:net'
import { type GuestStep, generateSecureShellKeyPair, SshGuest } from '@hearth/runner-agent'
import type { Assignment, FakeGuest, Seen } from './hostile-guest.ts'

const sampleMilliseconds = 20

const { privateKey } = generateSecureShellKeyPair('agent')
const guestOf = ({ port, hostKey }: FakeGuest) =>
  new SshGuest(
    {
      environmentId: 'guest',
      address: { host: '127.0.0.1', port, user: 'root', hostKey },
      identity: { machineId: 'm', hostname: 'h', randomSeedDigest: 'd' },
    },
    {
      privateKey,
      clock: { now: () => new Date() },
      connect: (host, at) =>
        new Promise((resolve, reject) => {
          const socket = connect({ host, port: at }, () => resolve(socket))
          socket.once('error', reject)
        }),
    },
  )

const origin = { runnerId: 'runner', epoch: 1, generation: 1 }
const step: GuestStep = {
  key: 'project_setup-1',
  folder: '/',
  commands: [],
  limitSeconds: 60,
  onlyWithExecutable: null,
  syncs: false,
}

async function doWork({ work, hostile }: Assignment, signal: AbortSignal): Promise<void> {
  const guest = guestOf(hostile)
  switch (work) {
    case 'identify':
      await guest.identify(signal)
      return
    case 'write':
      return guest.writePrivateFile('/run/hearth-test', 'text', origin, signal)
    case 'read':
      await guest.readFiles(['/one', '/two'], signal)
      return
    case 'steps':
      for await (const event of guest.runSteps([step], origin, signal)) {
        if (event.kind === 'outcome') throw new Error(`the step ended: ${JSON.stringify(event.outcome)}`)
      }
  }
}

async function see(assignment: Assignment): Promise<Seen> {
  const bystander = guestOf(assignment.other)
  await bystander.identify(AbortSignal.timeout(30_000))
  const before = process.memoryUsage().rss
  let most = before
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, sampleMilliseconds)
  let isOver = false
  const working = doWork(assignment, AbortSignal.timeout(assignment.mostMilliseconds)).then(
    () => 'done',
    (thrown: Error) => `${thrown.name}: ${thrown.message}`,
  )
  const end = working.finally(() => {
    isOver = true
  })
  const seen: Seen = { end: '', grownMebibytes: 0, rounds: 0, slowestMilliseconds: 0 }
  do {
    const began = performance.now()
    await bystander.identify(AbortSignal.timeout(30_000))
    seen.rounds += 1
    seen.slowestMilliseconds = Math.max(seen.slowestMilliseconds, performance.now() - began)
  } while (!isOver)
  clearInterval(sampling)
  bystander.close()
  return { ...seen, end: await end, grownMebibytes: (most - before) / 1024 / 1024 }
}

process.on('message', (assignment: Assignment) => {
  void see(assignment).then((seen) => process.send?.(seen))
})
