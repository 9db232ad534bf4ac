// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { withoutCacheOf } from './cache.ts'
import { withoutDatabaseOf } from './database.ts'
import { findNetwork } from './network.ts'
import type { SpacePlace } from './place.ts'
import { prelude } from './prelude.ts'
import { quote } from './quote.ts'
import { assertPlain } from './release.ts'
import { siteFile } from './web-server.ts'

/** Removes all that set-up and releases have made for a space, data as well. What runs in it is ended. */
export function removeSpaceScript(space: SpacePlace): string {
  assertPlain(space)
  const site = quote(siteFile(space))
  return `${prelude}${findNetwork}
if [[ -e ${site} ]]; then
  rm -f -- ${site}
  ! systemctl is-active -q nginx.service || systemctl reload nginx.service
fi
${withoutCacheOf(space)}! id -u ${space.user} >/dev/null 2>&1 || pkill -KILL -u ${space.user} || :
${withoutDatabaseOf(space)}lock_networks
for file in "$networks"/*; do
  [[ -f $file ]] || continue
  read -r type _ <"$file" || :
  [[ $type == ${quote(space.type)} ]] || continue
  forget_network "\${file##*/}"
  rm -f -- "$file"
done
unlock_networks
rm -rf --one-file-system -- ${quote(space.folder)}
! id -u ${space.user} >/dev/null 2>&1 || userdel --force ${space.user}
`
}
