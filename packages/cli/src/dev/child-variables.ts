type Variables = Readonly<Record<string, string | undefined>>

// Variables that a user may set for the agent; all other HEARTH_ variables are set by this command.
const passedOn =
  /^HEARTH_(LOG_LEVEL|LIBVIRT_URI|VIRTUALIZATION|GUEST_.+|INGRESS_.+|CAPACITY_.+|SYNTHETIC_.+|HOST_SSH.*)$/

/**
 * Environment variables of a child process: this process's variables without those meant for the command, plus those
 * for the child.
 */
export function childVariables(own: Variables, told: Variables): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !name.startsWith('HEARTH_') || passedOn.test(name))
  const all = [...kept, ...Object.entries(told)]
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== undefined))
}
