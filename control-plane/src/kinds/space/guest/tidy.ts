// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { findNetwork } from './network.ts'
import type { SpacePlace } from './place.ts'
import { prelude } from './prelude.ts'
import { quote } from './quote.ts'
import { assertPlain, assertReleaseId, releasesFolder } from './release.ts'

/** Minutes after its last start from which a network without processes, of a release that is kept, is given up. */
const idleMinutes = 60

/**
 * Removes the releases of a space that are not among those to keep, and the networks that no process needs. The current
 * release and what runs always stay.
 */
export function tidyScript(space: SpacePlace, keep: readonly string[]): string {
  assertPlain(space)
  keep.forEach(assertReleaseId)
  const folder = quote(space.folder)
  return `${prelude}${findNetwork}
keep=' ${keep.join(' ')} '
current=
[[ ! -L ${folder}/current ]] || current=$(readlink -- ${folder}/current) current=\${current##*/}
is_kept() { [[ $1 == "$current" || $keep == *" $1 "* ]]; }
for path in ${folder}/prepared/*; do
  [[ ! -e $path ]] || is_kept "\${path##*/}" || rm -f -- "$path"
done
# In the user's folder the user removes, since root would follow whatever the user has put there.
setpriv --reuid ${space.user} --regid ${space.user} --init-groups --reset-env -- bash -c '
  cd -- "$1" && shift || exit
  shopt -s dotglob nullglob
  for name in *; do
    for kept; do [[ $name != "$kept" && $name != ".$kept.new" ]] || continue 2; done
    chmod -R u+rwX -- "./$name"
    rm -rf -- "./$name"
  done
' bash ${quote(releasesFolder(space))} $current ${keep.map(quote).join(' ')}
lock_networks
for file in "$networks"/*; do
  [[ -f $file ]] || continue
  read -r type release process <"$file" || :
  [[ $type == ${quote(space.type)} && $release != tasks && $release != "$current" ]] || continue
  number=\${file##*/}
  [[ -z $(ip netns pids "app-$number" 2>/dev/null) ]] || continue
  ! is_kept "$release" || [[ -n $(find "$file" -mmin +${idleMinutes}) ]] || continue
  forget_network "$number"
  rm -f -- "$file"
done
unlock_networks
`
}
