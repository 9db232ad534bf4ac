import { processorSeconds, processorSecondsOfTree } from './processor-time.ts'
import type { Service } from './service.ts'

/** Processor seconds of each part. */
export interface Usage {
  controlPlane: number
  postgres: number
  nats: number
  agents: number
}

/** Used so far. */
export function usageOf(service: Service, agentPids: readonly number[]): Usage {
  return {
    controlPlane: processorSeconds(service.controlPlane.pid ?? 0),
    postgres: processorSecondsOfTree(service.postgresPid),
    nats: processorSeconds(service.nats.pid),
    agents: agentPids.reduce((sum, pid) => sum + processorSeconds(pid), 0),
  }
}

export function difference(before: Usage, after: Usage): Usage {
  return {
    controlPlane: after.controlPlane - before.controlPlane,
    postgres: after.postgres - before.postgres,
    nats: after.nats - before.nats,
    agents: after.agents - before.agents,
  }
}

export function describe({ controlPlane, postgres, nats, agents }: Usage, seconds: number): string {
  const each = (value: number) => (value / seconds).toFixed(2)
  return `control plane ${each(controlPlane)}, PostgreSQL ${each(postgres)}, NATS ${each(nats)}, agents ${each(agents)}`
}

export function note(text: string): void {
  process.stderr.write(`  ${text}\n`)
}
