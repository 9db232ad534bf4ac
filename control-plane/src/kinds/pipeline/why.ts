import type { Explanation, Pipeline } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a pipeline is in the phase it is in. Pure. */
export function explainPipeline({ metadata: { name }, spec, status }: Pipeline): Reasons {
  const evidence = [
    { what: `its program is ${status.program.replace('_', ' ')}`, at: status.since.program },
    { what: `its storage is ${status.storage.replace('_', ' ')}`, at: null },
    ...(status.error === null ? [] : [{ what: status.error.message, at: status.since.resources }]),
  ]
  return { sentence: sentenceOf(status), evidence, next: nextOf(name, spec, status) }
}

function sentenceOf({ resources, runtime, error }: Pipeline['status']): string {
  switch (resources) {
    case 'stopped':
      return error === null ? 'it is stopped' : `it is stopped, since it ended with ${error.code}`
    case 'provisioning':
      return 'its machine is being made ready'
    case 'provisioned':
      return runtime === null || runtime === 'unavailable'
        ? 'its program does not say how it is'
        : `its program says that it is ${runtime.replaceAll('_', ' ')}`
    case 'stopping':
      return 'its machine is being given back'
    default:
      return assertNever(resources)
  }
}

function nextOf(name: string, { desired }: Pipeline['spec'], status: Pipeline['status']): string | null {
  if (status.error !== null)
    return `the error stays until it is dismissed, or pipeline ${name} is started anew`
  if (desired === 'stopped') return null
  if (status.resources === 'stopped') return 'it starts as soon as its program is compiled'
  return status.runtime === 'awaiting_approval' ? 'it goes on once that is approved' : null
}
