import type { LayerManifest } from '../../../host/layer.ts'

/**
 * The layer as it is copied: its disk alone. A guest that resumes knows the key of the agent that froze it, and no other
 * agent can give it an identity of its own.
 */
export function withoutMemory(manifest: LayerManifest): LayerManifest {
  const { facts, machine } = manifest
  if (facts.memory === null) return manifest
  const memoryFault = 'memory is used only on the runner where it was frozen: this is a copy of the disk'
  return {
    ...manifest,
    facts: { ...facts, memory: null, memoryFault },
    machine: { ...machine, emulation: null },
  }
}
