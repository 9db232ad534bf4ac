#!/bin/bash
# Makes a seed by hand: make-seed.sh FOLDER NAME
# FOLDER gets agent, host and user_ca key pairs (kept if they are there) and NAME.seed.tar, the guest's second disk.
set -euo pipefail

folder="$1" name="$2"
mkdir -p "$folder"
cd "$folder"
for key in agent user_ca "$name.host"; do
  [[ -f $key ]] || ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$key"
done

tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/etc/ssh/hearth/principals "$tree"/var/lib/hearth/seed
echo "$name" >"$tree/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n' "$name" >"$tree/etc/hosts"
tr -d - </proc/sys/kernel/random/uuid >"$tree/etc/machine-id"
install -m 600 "$name.host" "$tree/etc/ssh/ssh_host_ed25519_key"
install -m 644 "$name.host.pub" "$tree/etc/ssh/ssh_host_ed25519_key.pub"
install -m 644 user_ca.pub "$tree/etc/ssh/hearth/user_ca.pub"
install -m 644 agent.pub "$tree/etc/ssh/hearth/authorized_keys"
echo "environment:$name" >"$tree/etc/ssh/hearth/principals/root"
(umask 077 && head -c 64 /dev/urandom >"$tree/var/lib/hearth/seed/random")
# Folders are left out: the image has them, and their owner and mode are not the seed's business.
(cd "$tree" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) |
  tar --create --format=ustar --owner=0:0 --group=0:0 --mtime=@0 --no-recursion \
    --directory="$tree" --files-from=- --file="$name.seed.tar"
echo "$PWD/$name.seed.tar"
