// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from './quote.ts'

/** Bytes that unzip may write beside the files: what it says of them. */
const saidBytes = 65_536

/**
 * Unpacks a ZIP into a folder of the current one, and enters that. Of its sizes only what its entries say was known so far: one
 * whose files have more together is refused, and leaves nothing. unzip keeps the modes of files, but for the set-user-id
 * bits, and ends with 1 where it only warned.
 */
export function unpackArchive(
  archivePath: string,
  { folder, bytes }: { folder: string; bytes: number },
): string {
  const [unfinished, finished] = [quote(`.${folder}.new`), quote(folder)]
  return `set -euo pipefail
umask 027
rm -rf -- ${unfinished} ${finished}
mkdir -- ${unfinished}
refuse() { echo "$1" >&2; rm -rf -- ${unfinished}; exit 1; }
count_written() {
  local name count
  written=
  while read -r name count; do [[ $name != wchar: ]] || written=$count; done <"/proc/$unzip/io"
  [[ -n $written ]]
} 2>/dev/null
(
  ulimit -f ${Math.ceil(bytes / 1024) + 1}
  exec unzip -qq -o -d ${unfinished} -- ${quote(archivePath)}
) &
unzip=$!
exec {never}<> <(:)
# The limit of a file's size holds for each alone, so that all that is written is counted as well.
while count_written; do
  ((written <= ${bytes + saidBytes})) || kill -KILL "$unzip" || break
  read -r -t 0.05 -u "$never" || :
done
exec {never}<&-
status=0
wait "$unzip" || status=$?
# A ZIP that says nothing of modes makes files that nobody may read.
chmod -R u+rwX,g-w,o-rwx -- ${unfinished}
find ${unfinished} -type f -printf '%s\\n' | awk '{ all += $1 } END { exit all > ${bytes} }' ||
  refuse 'the ZIP cannot be unpacked: its files have more than the ${bytes} bytes that it says they have'
((status < 2)) || refuse "the ZIP cannot be unpacked: unzip ended with $status"
mv -T -- ${unfinished} ${finished}
cd -- ${finished}
`
}
