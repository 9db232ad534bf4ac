// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { takeNetwork } from './network.ts'
import type { SpacePlace } from './place.ts'
import { prelude } from './prelude.ts'
import { quote } from './quote.ts'
import { assertPlain } from './release.ts'
import { exportsOf, type Variables } from './variables.ts'

/**
 * `enter USER EXPORTS FOLDER COMMAND` becomes the command, as the user of a space in the network that was taken: with no right
 * of root's and no way to get one, none of root's variables, and a view of the user's own processes only, since their words
 * and variables are nobody else's.
 */
const enter = `enter() {
  exec ip netns exec "app-$number" bash -c '
    mount -t proc -o nosuid,nodev,noexec,hidepid=2 proc /proc &&
    exec setpriv --reuid "$1" --regid "$1" --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all --reset-env \\
      -- bash -c '\\''umask 027; eval "$1"; cd -- "$2" && exec bash -c "$3"'\\'' bash "$2" "$3" "$4"
  ' bash "$@"
}
`

/** The network of what runs in a space but listens to nothing. */
export const tasksNetwork = (space: SpacePlace): string => `${space.type} tasks`

interface Entered {
  space: SpacePlace
  /** Whose network it is in. */
  network: string
  variables: Variables
  /** A word of the shell, quoted. */
  folder: string
  command: string
}

/** The bash functions that `entering` needs. */
export const enterFunctions = `${prelude}${takeNetwork}${enter}`

/** One line that becomes a command in a space. */
export function entering({ space, network, variables, folder, command }: Entered): string {
  assertPlain(space)
  if (!/^[\x20-\x7e]+$/.test(network)) throw new Error(`"${network}" is no name of a network`)
  const words = [space.user, exportsOf(variables), undefined, command].map((word) =>
    word === undefined ? folder : quote(word),
  )
  return `take_network ${quote(network)}\nenter ${words.join(' ')}\n`
}
