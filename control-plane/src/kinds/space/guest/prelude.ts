/** How each script that root runs begins. */
export const prelude = `set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
umask 022
cd /
fail() { printf '%s\\n' "$*" >&2; exit 1; }
`
