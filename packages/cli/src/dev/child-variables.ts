type Variables = Readonly<Record<string, string | undefined>>

// What a person may set to steer the agent; the rest of HEARTH_ is ours to say.
const passedOn =
  /^HEARTH_(LOG_LEVEL|LIBVIRT_URI|VIRTUALIZATION|GUEST_.+|CAPACITY_.+|SYNTHETIC_.+|HOST_SSH.*)$/

/** The environment of a child: this one's, without what it means for the command, with what the child is told. */
export function childVariables(own: Variables, told: Variables): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !name.startsWith('HEARTH_') || passedOn.test(name))
  const all = [...kept, ...Object.entries(told)]
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== undefined))
}
