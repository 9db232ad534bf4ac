#!/bin/bash
# From a fresh Debian with Node.js, npm, git and apt to a claimed, warmed virtual machine. Run it again whenever you
# like: what is there already is not done twice.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./quickstart.sh [options]

Installs what is missing, starts Hearth on this machine, keeps two virtual machines ready for an example project (or
for yours), claims one, runs a command in it, and shows what each part took. Stays up until Ctrl-C.

  --exit              end after the table: deletes the machines and stops everything
  --repo URL          your own repository instead of the example (a URL, or a folder on this machine)
  --setup COMMAND     with --repo: run in the clone before a machine counts as ready
  --class NAME        class of the machines: small (default), medium, large, tiny
  --synthetic         pretended machines: everything but virtualisation, where that is impossible
  --state DIR         where all is kept (default: /var/lib/hearth for root, ~/.local/state/hearth else)
  --port PORT         where the control plane listens on 127.0.0.1 (default: 7070)
  --help              this text
TEXT
}

main() {
  read_arguments "$@"
  cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"
  require_node
  if [[ $synthetic == no ]]; then
    install_missing_packages
    open_kvm
  fi
  install_dependencies
  build
  exec ./hearth "${global[@]}" quickstart "${options[@]}"
}

read_arguments() {
  synthetic=no global=() options=()
  while (($# > 0)); do
    case "$1" in
      --help | -h) usage && exit 0 ;;
      --exit) options+=("$1") ;;
      --synthetic) synthetic=yes && options+=("$1") ;;
      --repo | --setup | --class | --port | --state)
        (($# > 1)) || stop "$1 needs a value; see --help"
        if [[ $1 == --state ]]; then
          global+=(--state "$(realpath --canonicalize-missing "$2")")
        elif [[ $1 == --repo && -d $2 ]]; then
          options+=(--repo "$(realpath "$2")")
        else
          options+=("$1" "$2")
        fi
        shift
        ;;
      *) stop "unknown option $1; see --help" ;;
    esac
    shift
  done
}

require_node() {
  local program
  for program in node npm git; do
    command -v "$program" >/dev/null || stop "$program is missing: install Node.js 20.19 or newer, npm and git"
  done
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    stop "Node.js $(node --version) is too old: 20.19 or newer is needed"
}

# package|what it is for
needed_packages() {
  cat <<'TEXT'
qemu-system-x86|runs the virtual machines
qemu-utils|makes their disks
libvirt-daemon-system|keeps track of the machines, also when Hearth is not running
libvirt-daemon-driver-qemu|lets libvirt run QEMU
libvirt-clients|virsh, by which Hearth speaks to libvirt
mmdebstrap|makes the base image from Debian packages
e2fsprogs|makes the base image's file system
openssh-client|ssh to the machines, and the keys for it
passt|connects each machine to the network, and keeps it from this host
nftables|keeps machines from this host's own addresses and ports
iproute2|shows addresses and routes
git|serves the example repository to the machines
caddy|leads browsers to the machines; its service is not started
TEXT
}

install_missing_packages() {
  local package why missing=()
  while IFS='|' read -r package why; do
    is_installed "$package" && continue
    missing+=("$package")
    say "installing $package: $why"
  done < <(needed_packages)
  ((${#missing[@]} > 0)) || return 0
  command -v apt-get >/dev/null ||
    stop "apt-get is not here, so these have to be installed by hand: ${missing[*]}; or try --synthetic, which needs none"
  local log
  log="$(mktemp)"
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop "the packages could not be installed (all of it: $log); --synthetic works without them"
  fi
  rm -f "$log"
  [[ " ${missing[*]} " == *" caddy "* ]] && leave_port_80
  return 0
}

# Hearth starts a Caddy of its own: the package's service would answer on this machine's port 80.
leave_port_80() {
  [[ -d /run/systemd/system ]] || return 0
  as_root systemctl disable --now caddy >/dev/null 2>&1 || true
}

is_installed() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Without udev nobody gives /dev/kvm to the group kvm, and libvirt then asks QEMU what it can do before every start.
open_kvm() {
  [[ -c /dev/kvm ]] || return 0
  getent group kvm >/dev/null || return 0
  (($(stat --format='0%a' /dev/kvm) & 060)) && [[ $(stat --format=%G /dev/kvm) == kvm ]] && return 0
  (($(stat --format='0%a' /dev/kvm) & 06)) && return 0
  say "giving /dev/kvm to the group kvm, as udev would (chgrp kvm, chmod 660): every start of a machine takes over a minute else"
  as_root chgrp kvm /dev/kvm
  as_root chmod 660 /dev/kvm
}

install_dependencies() {
  [[ node_modules/.modules.yaml -nt pnpm-lock.yaml && node_modules/.modules.yaml -nt package.json ]] && return 0
  say "installing the JavaScript dependencies into node_modules"
  npx -y pnpm@10.34.9 install --frozen-lockfile --reporter=silent
  touch node_modules/.modules.yaml
}

build() {
  local program newest
  for program in control-plane runner-agent packages/cli; do
    if [[ -f $program/dist/main.js ]]; then
      newest="$(find packages/*/src control-plane/src runner-agent/src scripts/build.mjs -newer "$program/dist/main.js" -name '*.ts' -print -quit)"
      [[ -n $newest ]] || continue
    fi
    say "building"
    node scripts/build.mjs
    return 0
  done
}

as_root() {
  if ((EUID == 0)); then "$@"; else
    command -v sudo >/dev/null || stop "this needs root: run it as root, or install sudo"
    sudo "$@"
  fi
}

say() { echo "quickstart: $*" >&2; }

stop() {
  say "error: $*"
  exit 1
}

main "$@"
