import type { LocalCommandRunner } from '@hearth/runner-agent'

const changingCommand =
  /\b(ln -T|qemu-img create|qemu-img rebase|snapshot-create-as|define|undefine|--set|chown|chmod|mkdir|virsh -q -c \S+ (create|start|destroy) )/

/** The methods by which the agent changes its host, and those by which it looks at it: a command may be either. */
export const changingMethods = [
  'run',
  'writeFile',
  'writePart',
  'rename',
  'remove',
  'pour',
] as const satisfies readonly (keyof LocalCommandRunner)[]

export function isChange(name: (typeof changingMethods)[number], given: readonly unknown[]): boolean {
  return name !== 'run' || changingCommand.test((given[0] as readonly string[]).join(' '))
}
