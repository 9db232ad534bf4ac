# Which packages a guest is made of: the Debian entries among this machine's own package sources.

# The release of the guest: this machine's if it is Debian, else bookworm.
guest_codename() (
  # shellcheck source=/dev/null
  source /etc/os-release
  [[ ${ID:-} == debian && -n ${VERSION_CODENAME:-} ]] && echo "$VERSION_CODENAME" || echo bookworm
)

# Prints one-line entries. A third party may name its suite like a Debian release too, so an entry counts
# as Debian's only if it has component main and is signed by no key or by Debian's.
debian_sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] && awk -v codename="$codename" -f "$images/build/one-line-sources.awk" "$file"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] && awk -v codename="$codename" -f "$images/build/stanza-sources.awk" "$file"
  done
  return 0
}
