# The guest's files: packages, then Hearth's own files over them.

common_packages=(
  systemd-sysv udev dbus kmod util-linux util-linux-extra procps iproute2 bash sudo less
  openssh-server git ca-certificates curl
)
# busybox makes the initramfs, lz4 unpacks the kernel, udhcpc asks for an address on a bridge, acpid powers off.
seed_packages=(busybox-static lz4 udhcpc acpid)
stock_kernel_packages=(linux-image-cloud-amd64 initramfs-tools zstd busybox-static)
cloud_init_packages=(cloud-init netplan.io systemd-resolved libpam-systemd)
web_packages=(
  nginx postgresql redis-server
  python3-venv python3-pip python3-flask python3-psycopg2 python3-redis gunicorn
  nodejs npm node-pg node-redis
  unzip nftables
)
# Packages start them; the set-up of a web app does that where they are wanted.
web_services=(nginx.service postgresql.service redis-server.service nftables.service)

install_packages() {
  root="$work/root"
  local sources packages=("${common_packages[@]}") options=()
  sources="$work/sources.list"
  debian_sources >"$sources"
  [[ -s $sources ]] || fail "no Debian package source for $codename in /etc/apt/sources.list or /etc/apt/sources.list.d"
  if [[ $variant == cloud-init ]]; then
    packages+=("${stock_kernel_packages[@]}" "${cloud_init_packages[@]}")
  elif [[ $tuned == no ]]; then
    packages+=("${seed_packages[@]}" "${stock_kernel_packages[@]}")
  else
    packages+=("${seed_packages[@]}")
    options+=("--customize-hook=$images/build/unpack-kernel.sh \"\$1\"")
  fi
  if [[ $with == web ]]; then packages+=("${web_packages[@]}"); fi
  mmdebstrap --mode=root --format=directory --variant=minbase \
    --include="$(IFS=,; echo "${packages[*]}")" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --aptopt='Acquire::Languages "none"' \
    "${options[@]}" "$codename" "$root" "$sources"
}

prepare_guest() {
  # Identity is each guest's own, so an image must hold none.
  rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
  : >"$root/etc/machine-id"
  rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/*.log "$root"/var/cache/debconf/*-old
  mkdir -p "$root/home" "$root/var/lib/apt/lists/partial"
  if [[ $with == web ]]; then chroot "$root" systemctl disable "${web_services[@]}"; fi
  case "$variant-$tuned" in
    seed-yes) put_files guest/seed && apply_tuning ;;
    seed-no) put_files guest/untuned && chroot "$root" systemctl enable hearth-seed.service systemd-networkd.service ;;
    cloud-init-*) put_files guest/cloud-init ;;
  esac
}

# put_files FOLDER: copies a folder of this project over the guest's root.
put_files() { cp -R --no-dereference --preserve=mode,links "$images/$1/." "$root/"; }

apply_tuning() {
  local unit
  while read -r unit; do
    [[ -z $unit || $unit == \#* ]] || ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done <"$images/guest/masked-units"
  mkdir -p "$root/etc/systemd/system-generators"
  while read -r unit; do
    [[ -z $unit || $unit == \#* ]] || ln -sf /dev/null "$root/etc/systemd/system-generators/$unit"
  done <"$images/guest/masked-generators"
  chroot "$root" systemctl enable ssh.service hearth-address.service hearth-clock.service hearth-grow-root.service hearth-power-button.service
}
