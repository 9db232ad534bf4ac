import { type AgentParts, compose, createLogger, readConfig, runAgent } from '@hearth/runner-agent'
import type { JoinedRunner } from './host.ts'

/** The agent of a runner in this process, with other parts than the shipped one. Disposing it leaves its guests. */
export async function runAgentHere(
  { environment }: JoinedRunner,
  change: (parts: AgentParts) => Partial<AgentParts>,
): Promise<AsyncDisposable> {
  const config = readConfig({ HEARTH_LOG_LEVEL: process.env.HEARTH_TEST_LOG ?? 'fatal', ...environment })
  const parts = await compose(config, createLogger(config))
  const stopping = new AbortController()
  const ended = runAgent({ ...parts, ...change(parts) }, stopping.signal)
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await ended
    },
  }
}
