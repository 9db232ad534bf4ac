# vmlinuz, initrd.img and the kernel command line.

make_boot_files() {
  local release
  release="$(ls "$root/lib/modules")"
  if [[ $variant == seed && $tuned == yes ]]; then
    unpack_compressed_kernel "$root/boot/vmlinuz-$release" "$work/image/vmlinuz"
    make_small_initramfs "$release" "$work/image/initrd.img"
    command_line="$(tr '\n' ' ' <"$images/guest/command-line" | sed 's/ *$//')"
  else
    cp "$root/boot/vmlinuz-$release" "$work/image/vmlinuz"
    cp "$root/boot/initrd.img-$release" "$work/image/initrd.img"
    command_line="root=/dev/vda ro console=ttyS0 net.ifnames=0"
  fi
  rm -f "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-* "$root"/boot/System.map-* "$root"/vmlinuz* "$root"/initrd.img*
}

# unpack_compressed_kernel BZIMAGE ELF
# The emulated processor would take most of a second to unpack it, at every boot.
unpack_compressed_kernel() {
  local offset
  offset="$(LC_ALL=C grep --only-matching --byte-offset --text --max-count=1 --perl-regexp '\x02\x21\x4c\x18' "$1" | head -n 1 | cut -d: -f1)"
  [[ -n $offset ]] || fail "$1 is not compressed with lz4"
  # The kernel's own trailer follows the compressed stream; lz4 reports it after having written everything.
  tail -c "+$((offset + 1))" "$1" | chroot "$root" lz4 -dc >"$2" || true
  [[ $(head -c 4 "$2" | od -An -tx1 | tr -d ' ') == 7f454c46 ]] || fail "no kernel was found in $1"
}

# make_small_initramfs RELEASE FILE: busybox, a handful of modules and guest/initramfs/init, not compressed.
make_small_initramfs() {
  local tree="$work/initramfs" modules="$root/lib/modules/$1" module
  mkdir -p "$tree"/{bin,dev,modules,proc,root}
  cp "$root/bin/busybox" "$tree/bin/busybox"
  cp "$images/guest/initramfs/init" "$tree/init"
  chmod 755 "$tree/init"
  mknod "$tree/dev/console" c 5 1
  # The root disk waits for the first list only; systemd would load autofs4 itself, later and slower.
  add_modules "$modules" "$tree" first virtio_pci virtio_blk
  add_modules "$modules" "$tree" second virtio_net autofs4 pvpanic-mmio
  (cd "$tree" && find . | "$tree/bin/busybox" cpio -o -H newc) >"$2"
}

# add_modules FOLDER TREE LIST MODULE...: copies the modules and what they need, in the order to load them.
add_modules() {
  local folder="$1" tree="$2" list="$3" module file
  shift 3
  for module in "$@"; do
    module_files "$folder" "$module" | while read -r file; do
      [[ ! -f $tree/modules/${file##*/} ]] || continue
      cp "$folder/$file" "$tree/modules/"
      echo "${file##*/}" >>"$tree/modules/$list"
    done
  done
}

# module_files FOLDER MODULE: the module's files, what it needs first.
module_files() {
  awk -v name="$2.ko:" '
    { file = $1; sub(/.*\//, "", file) }
    file == name { for (i = NF; i > 1; i--) print $i; sub(/:$/, "", $1); print $1; found = 1 }
    END { exit !found }
  ' "$1/modules.dep" || fail "the kernel has no module $2"
}
