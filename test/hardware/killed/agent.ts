import { AsyncLocalStorage } from 'node:async_hooks'
import {
  compose,
  createLogger,
  type Host,
  LocalCommandRunner,
  readConfig,
  runAgent,
} from '@hearth/runner-agent'
import { KillSwitch } from '../../chaos/children/kill-switch.ts'
import { changingMethods, isChange } from '../host-changes.ts'
import { killSetting, readKill, type Work } from './kill.ts'

/** The agent as shipped, but for shorter waits: it kills itself at one change of its host in one kind of work. */
const kill = readKill(process.env[killSetting])
const killSwitch = new KillSwitch(kill)
const atWork = new AsyncLocalStorage<true>()

const prototype = LocalCommandRunner.prototype as unknown as Record<
  string,
  (...given: unknown[]) => Promise<unknown>
>
for (const name of changingMethods) {
  const original = prototype[name]
  if (original === undefined) throw new Error(`there is no method ${name}`)
  prototype[name] = function (this: unknown, ...given: unknown[]) {
    const call = () => original.apply(this, given)
    return atWork.getStore() === true && isChange(name, given) ? killSwitch.write(call) : call()
  }
}

const works: Readonly<Record<Work, readonly string[]>> = {
  resume: ['startFromMemory'],
  freeze: ['freeze'],
  flatten: ['flatten'],
  copy: ['beginCopy', 'write', 'completeCopy'],
}

/** The same object, whose methods of the work to be killed are known as such to what they call. */
function watched<Target extends object>(target: Target): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name)
      if (typeof value !== 'function') return value
      const call = (...given: unknown[]): unknown => Reflect.apply(value, object, given)
      if (kill === null || !works[kill.work].includes(String(name))) return call
      return (...given: unknown[]) => atWork.run(true, () => call(...given))
    },
  })
}

const config = readConfig(process.env)
const parts = await compose(config, createLogger(config))
const host: Host = {
  machines: watched(parts.host.machines),
  layers: watched(parts.host.layers),
  volumes: watched(parts.host.volumes),
  facts: () => parts.host.facts(),
  freeDiskBytes: () => parts.host.freeDiskBytes(),
  close: () => parts.host.close(),
}
const timings = { ...parts.timings, heartbeat: 500, removalGrace: 500, retryMost: 1_000, pausedMachines: 500 }
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await runAgent({ ...parts, host, timings }, stop.signal)
process.exit(0)
