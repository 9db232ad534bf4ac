import type { Pipeline, PipelineMessage } from '@hearth/contract'

const spoken = (word: string) => word.replaceAll('_', ' ')

/** How a pipeline is, in a few words. */
export function pipelineProgress({ status }: Pipeline): string {
  const { resources, program, storage, phase } = status
  if (storage === 'clearing') return 'its storage is being cleared'
  if (resources === 'stopped' && program !== 'success') return `its program is ${spoken(program)}`
  return spoken(phase)
}

/** Why a program does not compile, each fault with its place and the line it is in. */
export function programFaults({ program, programError }: Pipeline['status']): string {
  const { check, build, system } = programError
  const head = `its program does not compile: ${spoken(program)}`
  const messages = check?.messages ?? []
  if (messages.length > 0) return [head, ...messages.map(faultText)].join('\n')
  const said = system ?? (build === null ? '' : `${build.output}${build.errorOutput}`.trimEnd())
  return said === '' ? head : `${head}\n${said}`
}

function faultText({ startLine, startColumn, message, snippet, isWarning }: PipelineMessage): string {
  const place = startLine === 0 ? '' : `line ${startLine}, column ${startColumn}: `
  const lines = snippet === null ? [] : snippet.split('\n').map((line) => `  | ${line}`)
  return [`${isWarning ? 'warning: ' : ''}${place}${message}`, ...lines].join('\n')
}
