import { type Explanation, isProgramFaulty, type Pipeline } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'
import { compileWaitsFor, type SeenCompile } from './compile.decide.ts'
import { provisioningWaitsFor, type SeenPipeline } from './decide.ts'

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** A pipeline and what its next step depends on. */
export interface PipelineSight {
  pipeline: Pipeline
  life: SeenPipeline
  compile: SeenCompile
}

/** Why a pipeline is in the phase it is in. Pure. */
export function explainPipeline(sight: PipelineSight): Reasons {
  const { status } = sight.pipeline
  const evidence = [
    { what: `its program is ${words(status.program)}`, at: status.since.program },
    { what: `its storage is ${words(status.storage)}`, at: null },
    ...programEvidence(status),
    ...machineEvidence(sight),
    ...(status.error === null ? [] : [{ what: status.error.message, at: status.since.resources }]),
  ]
  return { sentence: sentenceOf(sight), evidence, next: nextOf(sight) }
}

const words = (word: string) => word.replaceAll('_', ' ')

function programEvidence({ programError: { check, build, system } }: Pipeline['status']) {
  const fault = check?.messages.find(({ isWarning }) => !isWarning)
  return [
    ...(fault === undefined
      ? []
      : [{ what: `line ${fault.startLine}, column ${fault.startColumn}: ${fault.message}`, at: null }]),
    ...(build === null ? [] : [{ what: `its build ended with exit code ${build.exitCode}`, at: null }]),
    ...(system === null ? [] : [{ what: system, at: null }]),
  ]
}

function machineEvidence({ life: { machine } }: PipelineSight) {
  if (machine === null) return []
  const silent = machine.isSilent ? ', which is silent' : ''
  const on = machine.runner === null ? '' : ` on runner ${machine.runner}${silent}`
  return [{ what: `its machine ${machine.name}${on} is ${machine.phase}`, at: null }]
}

function sentenceOf({ pipeline, life, compile }: PipelineSight): string {
  const { spec, status } = pipeline
  switch (status.resources) {
    case 'stopped':
      return stoppedSentence(pipeline, life, compile)
    case 'provisioning':
      return `its machine is being made ready: it waits for ${provisioningWaitsFor(life)}`
    case 'provisioned':
      if (status.runtime === null || status.runtime === 'unavailable')
        return `its program does not say how it is${becauseOf(status.runtimeDetails)}`
      return spec.desiredRuntime === status.runtime
        ? `its program says that it is ${words(status.runtime)}`
        : `its program says that it is ${words(status.runtime)}, and is asked to be ${words(spec.desiredRuntime ?? 'running')}`
    case 'stopping':
      return 'its machine is being given back'
    default:
      return assertNever(status.resources)
  }
}

function stoppedSentence({ spec, status }: Pipeline, { volume }: SeenPipeline, compile: SeenCompile): string {
  if (status.storage === 'clearing') {
    const hindrance = volume?.hindrance ?? null
    if (hindrance !== null) return `it is stopped, and its volume is deleted after a wait for ${hindrance}`
    return 'it is stopped, and its volume is being deleted'
  }
  const isCompiled = status.program === 'success' || isProgramFaulty(status.program)
  const waits = isCompiled ? '' : `: its program is compiled, which waits for ${compileWaitsFor(compile)}`
  if (spec.desired === 'provisioned') return `it is to start${waits}`
  const ended = status.error === null ? '' : `, since it ended with ${status.error.code}`
  return `it is stopped${ended}${waits}`
}

function becauseOf(details: unknown): string {
  const reason =
    typeof details === 'object' && details !== null && 'reason' in details ? details.reason : null
  return typeof reason === 'string' ? `: ${reason}` : ''
}

function nextOf({ pipeline: { metadata, spec, status }, life, compile }: PipelineSight): string | null {
  const { name } = metadata
  const { machine } = life
  if (status.resources === 'stopping' && machine?.isSilent === true)
    return `it is stopped when runner ${machine.runner ?? ''} answers, or is removed with \`hearth delete runner ${machine.runner ?? ''} --force\``
  if (status.error !== null)
    return `the error stays until it is dismissed, or pipeline ${name} is started anew`
  switch (status.resources) {
    case 'stopped':
      if (isProgramFaulty(status.program))
        return status.program === 'system_error'
          ? 'compile it again when that is mended'
          : 'change its program, which compiles it again'
      if (status.program !== 'success' && compile.deadline !== null)
        return `it is given up unless that is done by ${spokenTime(compile.deadline.toISOString())}`
      return spec.desired === 'stopped' ? null : 'it starts as soon as its program is compiled'
    case 'provisioning':
      return status.deadline === null
        ? null
        : `it stops with an error unless that is done by ${spokenTime(status.deadline)}`
    case 'provisioned':
      if (status.runtime === 'awaiting_approval') return 'it goes on once that is approved'
      if (spec.desiredRuntime === 'suspended')
        return `it stops when it has stored where it is; \`hearth pipeline stop ${name} --force\` ends it at once`
      return status.runtime === 'unavailable' ? 'a stop by force ends it whatever its program does' : null
    case 'stopping':
      return 'it is stopped when the machine is gone; what it has stored stays'
    default:
      return assertNever(status.resources)
  }
}
