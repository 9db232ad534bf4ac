# Options and preconditions of build-base-image.sh.

usage() {
  cat <<'TEXT'
Usage: build-base-image.sh --output DIR [options]

Builds a Debian guest image for Hearth from this machine's own Debian package sources.

  --output DIR          folder to make: disk.qcow2, vmlinuz, initrd.img, image.json
  --variant VARIANT     seed (default): Hearth's own fast boot, identity from a tar on the second disk
                        cloud-init: Debian's cloud-init, identity from a NoCloud disk
  --with web            adds what web apps need: nginx, PostgreSQL, Redis, Python, Node.js; their services do not run
  --untuned             a seed image without the tuning, to measure the tuning against
  --name NAME           name written to image.json (default: debian-12, or debian-12-web)
  --size SIZE           size of the disk, with suffix M or G (default: 2G)
  --print-fingerprint   print the fingerprint the image would have, and build nothing
  --help                this text

The image is built beside DIR and renamed at the end. If DIR holds an image of the same
fingerprint already, nothing is done. Guests' disks refer to disk.qcow2: do not build a
different image over one that guests still use, give it another DIR.
TEXT
}

parse_arguments() {
  output="" variant=seed with="" tuned=yes name="" size=2G print_fingerprint=no
  while (($# > 0)); do
    case "$1" in
      --output | --variant | --with | --name | --size)
        (($# > 1)) || fail "$1 needs a value; see --help"
        printf -v "${1#--}" '%s' "$2"
        shift 2
        ;;
      --untuned) tuned=no && shift ;;
      --print-fingerprint) print_fingerprint=yes && shift ;;
      --help) usage && exit 0 ;;
      *) fail "unknown option $1; see --help" ;;
    esac
  done
  [[ $variant == seed || $variant == cloud-init ]] || fail "--variant is seed or cloud-init, not '$variant'"
  [[ -z $with || $with == web ]] || fail "--with is web, not '$with'"
  [[ -n $name ]] || name="debian-12${with:+-$with}"
  [[ $variant == seed || $tuned == yes ]] || fail "--untuned goes with --variant seed only"
  [[ $size =~ ^[0-9]+[MG]$ ]] || fail "--size is a number with suffix M or G, not '$size'"
  [[ $name =~ ^[a-z0-9][a-z0-9.-]*$ ]] || fail "--name has lower-case letters, digits, dots and dashes, not '$name'"
  [[ -n $output || $print_fingerprint == yes ]] || fail "--output DIR is missing; see --help"
  output="$(realpath --canonicalize-missing "${output:-.}")"
}

require_root() {
  ((EUID == 0)) || fail "packages are unpacked with their owners, which needs root: run it with sudo"
}

require_tools() {
  local pair
  for pair in mmdebstrap:mmdebstrap qemu-img:qemu-utils mke2fs:e2fsprogs apt-get:apt dpkg-deb:dpkg; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null ||
      fail "${pair%%:*} is missing; install it with: apt-get install --no-install-recommends ${pair##*:}"
  done
  PATH="$PATH:/usr/sbin:/sbin"
  [[ $(dpkg --print-architecture) == amd64 ]] || fail "only amd64 is supported, this is $(dpkg --print-architecture)"
}
