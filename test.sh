#!/bin/bash
# Runs every test of Hearth on a Debian machine that has Node.js, npm, git and apt, and ends with their number.
set -uo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"

phases=(lint types unit structure system chaos hardware)
declare -A what=(
  [lint]="format and lint (biome, eslint)"
  [types]="types (tsc)"
  [unit]="unit tests, beside the code"
  [structure]="structure: dependency rule, sizes, documents"
  [system]="system: control plane, agents, PostgreSQL, NATS; synthetic hosts"
  [chaos]="chaos: everything killed, cut and repeated; a short selection of \`pnpm chaos\`"
  [hardware]="hardware: real guests under libvirt"
)
# Seconds after which a phase is ended and counts as failed.
declare -A bound=([install]=900 [build]=300 [lint]=600 [types]=600 [unit]=1200 [structure]=600 [system]=1800 [chaos]=900 [image]=1800 [hardware]=3600)
# The packages a phase needs, and why.
declare -A packages=(
  [unit]="openssh-client caddy"
  [system]="openssh-client kubernetes-client caddy dnsmasq-base iproute2 python3"
  [chaos]="caddy iproute2"
  [hardware]="qemu-system-x86 qemu-utils libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients mmdebstrap e2fsprogs genisoimage openssh-client openssh-server git passt nftables iproute2 dnsmasq-base caddy chromium libnss3-tools"
)
declare -A why=(
  [qemu-system-x86]="runs the guests"
  [qemu-utils]="makes their disks"
  [libvirt-daemon-system]="manages the guests"
  [libvirt-daemon-driver-qemu]="lets libvirt run QEMU"
  [libvirt-clients]="virsh, by which the agent speaks to libvirt"
  [mmdebstrap]="builds the guests' base image from packages"
  [e2fsprogs]="makes the base image's file system"
  [genisoimage]="makes seeds for guests with cloud-init"
  [openssh-client]="ssh and ssh-keygen, against which connections and certificates are checked"
  [openssh-server]="a host that is driven over SSH; its service is not started"
  [passt]="connects guests to the network"
  [nftables]="keeps guests from the host and from closed networks"
  [dnsmasq-base]="gives addresses on a libvirt network, and names to tests of host names"
  [iproute2]="network namespaces, that stand for a host and its network"
  [git]="serves a repository to the guests"
  [chromium]="the browser that web apps are used in"
  [libnss3-tools]="certutil, by which the browser is told of an authority"
  [caddy]="leads requests to machines; its service is not started"
  [python3]="runs the toolchain sql of pipelines"
  [kubernetes-client]="kubectl, which reads sessions as it is"
)

usage() {
  cat <<TEXT
Usage: ./test.sh [--only PHASE,...]

Installs what is missing (as root or by sudo), builds, and runs the tests. The last line is their number;
the exit status is 0 when none failed.

  --only PHASE,...   run only these phases
  --help             this text

Phases, in this order:
$(for phase in "${phases[@]}"; do printf '  %-10s %s\n' "$phase" "${what[$phase]}"; done)

HEARTH_TEST_CACHE   where the base image and the guests' disks are (default /var/cache/hearth-test);
                    QEMU's own user must be able to reach it
TEXT
}

main() {
  read_arguments "$@"
  require_node
  results="$(mktemp -d "${TMPDIR:-/tmp}/hearth-test.XXXXXX")"
  chmod 755 "$results"
  trap clean_up EXIT
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM HUP

  install_packages
  check install "dependencies (pnpm install)" npx -y pnpm@10.34.9 install --frozen-lockfile
  check build "build" node scripts/build.mjs
  local phase
  for phase in "${chosen[@]}"; do
    case "$phase" in
      lint)
        check lint "format and fast rules (biome)" node_modules/.bin/biome check .
        check lint "rules that need types (eslint)" node_modules/.bin/eslint .
        ;;
      types) check types "types (tsc -b)" node_modules/.bin/tsc -b ;;
      unit | structure | system | chaos) vitest_project "$phase" ;;
      hardware) prepare_hardware && vitest_project hardware as_root ;;
    esac
  done
  print_summary
}

read_arguments() {
  chosen=("${phases[@]}")
  while (($# > 0)); do
    case "$1" in
      --only)
        (($# > 1)) || misuse "--only needs phases, for example --only unit,system"
        choose "$2"
        shift 2
        ;;
      --only=*) choose "${1#--only=}" && shift ;;
      --help | -h) usage && exit 0 ;;
      *) misuse "unknown option $1" ;;
    esac
  done
}

choose() {
  local given name phase
  IFS=, read -r -a given <<<"$1"
  ((${#given[@]} > 0)) || misuse "--only needs phases"
  for name in "${given[@]}"; do
    [[ -n ${what[$name]:-} ]] || misuse "there is no phase '$name'; there are: ${phases[*]}"
  done
  chosen=()
  for phase in "${phases[@]}"; do
    for name in "${given[@]}"; do [[ $phase == "$name" ]] && chosen+=("$phase") && break; done
  done
}

misuse() {
  echo "test.sh: $1 (--help shows how)" >&2
  exit 2
}

say() { echo "test.sh: $*"; }

heading() { printf '\n=== %s\n' "$*"; }

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -- env "PATH=$PATH:/usr/sbin:/sbin" "${passed_on[@]}" "$@"; fi
}
passed_on=()

require_node() {
  local need="Node.js 20.19 or newer, with npm, is needed"
  command -v node >/dev/null && command -v npx >/dev/null || misuse "$need"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    misuse "$need; this is $(node --version)"
  ((EUID == 0)) || command -v sudo >/dev/null || misuse "run it as root, or install sudo: packages and guests need it"
}

# --- counting -------------------------------------------------------------------------------------------------

passed=0 failed=0 skipped=0
table=() failures=()

# count NAME SECONDS PASSED FAILED SKIPPED
count() {
  ((passed += $3, failed += $4, skipped += $5))
  table+=("$(printf '%-68s %6s s %6s passed %4s failed%s' "$1" "$2" "$3" "$4" "$([[ $5 == 0 ]] || echo ", $5 skipped")")")
}

print_summary() {
  local name
  if ((${#failures[@]} > 0)); then
    heading "What failed"
    for name in "${chosen[@]}"; do
      [[ ! -f $results/$name.json ]] || node scripts/test-failures.mjs "$results/$name.json"
    done
  fi
  heading "Summary"
  printf '%s\n' "${table[@]}"
  ((${#failures[@]} == 0)) || printf 'failed: %s\n' "${failures[@]}"
  clean_up
  local line="$passed passed, $failed failed"
  ((skipped == 0)) || line+=", $skipped skipped"
  echo "$line"
  ((failed == 0)) || exit 1
  exit 0
}

# --- running --------------------------------------------------------------------------------------------------

# bounded SECONDS COMMAND...: in the background, so that a signal to this script is acted on at once.
bounded() {
  local seconds="$1" status
  shift
  timeout --kill-after=20 "$seconds" "$@" </dev/null &
  child=$!
  wait "$child"
  status=$?
  child=
  [[ $status != 124 && $status != 137 ]] || say "ended after $seconds s: it took too long"
  return "$status"
}
child=

# check PHASE NAME COMMAND...: a check that counts as one test.
check() {
  local phase="$1" name="$2" start=$SECONDS
  shift 2
  heading "$name"
  if CI=true bounded "${bound[$phase]}" "$@"; then
    count "$name" $((SECONDS - start)) 1 0 0
  else
    failures+=("$name")
    count "$name" $((SECONDS - start)) 0 1 0
  fi
}

# vitest_project NAME [as_root]
vitest_project() {
  local name="$1" start=$SECONDS status counts=() lines=()
  heading "${what[$name]}"
  # timeout cannot run a function of the shell, so sudo is spelled out for it.
  local before=()
  if [[ ${2:-} == as_root ]] && ((EUID != 0)); then before=(sudo -- env "PATH=$PATH" "${passed_on[@]}"); fi
  # The system and the hardware tests are two projects each: those that may run beside each other, and the others.
  CI=true bounded "${bound[$name]}" "${before[@]}" node_modules/.bin/vitest run --project "$name" --project "$name-*" \
    --reporter=default --reporter=json --outputFile.json="$results/$name.json"
  status=$?
  if [[ -f $results/$name.json ]]; then
    mapfile -t lines < <(node scripts/test-results.mjs "$results/$name.json")
    read -r -a counts <<<"${lines[0]:-}"
  fi
  ((${#counts[@]} == 3)) || counts=(0 0 0)
  ((${#lines[@]} <= 1)) || failures+=("${lines[@]:1}")
  # A run can fail without a failed test: an error outside of any, the time bound, no tests at all.
  if ((status != 0 && counts[1] == 0)) || ((counts[0] + counts[1] == 0)); then
    failures+=("the $name run itself (exit status $status)")
    ((counts[1] += 1))
  fi
  count "${what[$name]}" $((SECONDS - start)) "${counts[@]}"
}

interrupted() {
  [[ -z $child ]] || kill -TERM "$child" 2>/dev/null
  say "interrupted"
  exit "$1"
}

# --- the machine ----------------------------------------------------------------------------------------------

install_packages() {
  local phase package missing=()
  for phase in "${chosen[@]}"; do
    for package in ${packages[$phase]:-}; do
      is_installed "$package" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
    done
  done
  ((${#missing[@]} > 0)) || return 0
  heading "missing packages"
  for package in "${missing[@]}"; do say "installing $package: ${why[$package]}"; done
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  if as_root "${quiet[@]}" update && start_no_service && as_root "${quiet[@]}" install -y --no-install-recommends "${missing[@]}"; then
    allow_services
    return
  fi
  allow_services
  failures+=("installing packages: ${missing[*]}")
  count "missing packages" 0 0 1 0
}

# The tests start an SSH server and a Caddy of their own; the packages would open the machine's ports 22 and 80 to everybody.
start_no_service() {
  # Without an init system no service is started anyhow.
  [[ " ${missing[*]} " == *" openssh-server "* || " ${missing[*]} " == *" caddy "* ]] || return 0
  [[ -d /run/systemd/system && ! -e /usr/sbin/policy-rc.d ]] || return 0
  policy=/usr/sbin/policy-rc.d
  printf '#!/bin/sh\ncase "$1" in ssh|caddy) exit 101;; esac\nexit 0\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
}
policy=

allow_services() {
  [[ -n $policy ]] || return 0
  as_root rm -f "$policy"
  policy=
  as_root systemctl disable --quiet ssh.service
}

is_installed() {
  # Where kubectl is of another package, Debian's cannot be installed beside it, and is not needed.
  [[ $1 == kubernetes-client ]] && command -v kubectl >/dev/null && return 0
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

prepare_hardware() {
  local start=$SECONDS
  heading "a base image, and libvirt"
  PATH="$PATH:/usr/sbin:/sbin"
  cache="${HEARTH_TEST_CACHE:-/var/cache/hearth-test}"
  if make_cache && settle_kvm && start_libvirt && build_images; then
    say "ready for guests after $((SECONDS - start)) s"
    return 0
  fi
  failures+=("preparing this machine for real guests")
  count "${what[hardware]}" $((SECONDS - start)) 0 1 0
  return 1
}

make_cache() {
  local folder
  as_root mkdir -p "$cache" || return 1
  cache="$(realpath "$cache")"
  folder="$cache"
  until [[ $folder == / ]]; do
    if (($(stat -c '0%a' "$folder") & 1)); then
      folder="$(dirname "$folder")"
    else
      say "QEMU's user cannot enter $folder: set HEARTH_TEST_CACHE to another folder, or run: chmod o+x $folder"
      return 1
    fi
  done
  # The tests keep a folder for each run in it, and remove what a run that was killed has left.
  export HEARTH_TEST_IMAGES="$cache/images" HEARTH_TEST_STATE="$cache/runs"
  passed_on=("HEARTH_TEST_IMAGES=$HEARTH_TEST_IMAGES" "HEARTH_TEST_STATE=$HEARTH_TEST_STATE" "CI=true")
}

# Without udev /dev/kvm is root's alone, and libvirt asks QEMU what it can do before every start: a minute each time.
settle_kvm() {
  [[ -e /dev/kvm ]] && getent group kvm >/dev/null || return 0
  (($(stat -c '0%a' /dev/kvm) & 060)) && [[ $(stat -c %G /dev/kvm) == kvm ]] && return 0
  (($(stat -c '0%a' /dev/kvm) & 06)) && return 0
  say "giving /dev/kvm to the group kvm (chgrp kvm /dev/kvm; chmod 660 /dev/kvm), as udev would have"
  as_root chgrp kvm /dev/kvm && as_root chmod 660 /dev/kvm
}

libvirt_answers() { as_root timeout 20 virsh -q -c qemu:///system version >/dev/null 2>&1; }

started=()
start_libvirt() {
  libvirt_answers && return 0
  if [[ -d /run/systemd/system ]]; then
    say "starting libvirtd (systemctl start libvirtd)"
    as_root systemctl start libvirtd
  else
    start_daemon virtlogd
    start_daemon libvirtd
  fi
  local tries
  for ((tries = 0; tries < 150; tries++)); do
    libvirt_answers && return 0
    sleep 0.2
  done
  say "libvirt does not answer at qemu:///system"
  [[ ! -f $results/libvirtd.log ]] || tail -n 20 "$results/libvirtd.log"
  return 1
}

# The pid file tells which process is ours to end.
start_daemon() {
  as_root "$1" -d -p "$results/$1.pid" >>"$results/$1.log" 2>&1 || return 0
  started=("$1" "${started[@]}")
  say "started $1 (process $(cat "$results/$1.pid")): no systemd runs this machine"
}

# All at once: each of them leaves a processor idle for long.
build_images() {
  local before=() name options
  ((EUID == 0)) || before=(sudo --)
  as_root mkdir -p "$cache/images" || return 1
  while read -r name options; do
    printf -- '--output %q --name %s %s\n' "$cache/images/$name" "$name" "$options"
  done >"$results/images" <<'TEXT'
debian-12-web --with web
debian-12-cloud-init --variant cloud-init
debian-12
TEXT
  bounded "${bound[image]}" "${before[@]}" xargs --arg-file="$results/images" --max-lines=1 --max-procs=3 \
    deploy/images/build-base-image.sh
}

clean_up() {
  local daemon pid
  trap - EXIT
  allow_services
  if ((${#started[@]} > 0)) && [[ -n $(as_root virsh -q -c qemu:///system list --name 2>/dev/null) ]]; then
    say "libvirtd and virtlogd go on, since guests still run"
    started=()
  fi
  for daemon in "${started[@]}"; do
    pid="$(cat "$results/$daemon.pid" 2>/dev/null)" || continue
    say "ending $daemon (process $pid)"
    as_root kill "$pid" && as_root tail --pid="$pid" -f /dev/null
  done
  started=()
  [[ -z ${results:-} ]] || as_root rm -rf "$results"
}

main "$@"
