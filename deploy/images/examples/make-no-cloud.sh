#!/bin/bash
# Makes a NoCloud disk by hand for a guest with cloud-init: make-no-cloud.sh FOLDER NAME
# FOLDER gets the same keys as with make-seed.sh and NAME.no-cloud.iso, the guest's second disk.
set -euo pipefail

folder="$1" name="$2"
mkdir -p "$folder"
cd "$folder"
for key in agent user_ca "$name.host"; do
  [[ -f $key ]] || ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$key"
done

tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
cat >"$tree/meta-data" <<YAML
instance-id: $name
local-hostname: $name
YAML
cat >"$tree/network-config" <<'YAML'
version: 2
ethernets:
  primary:
    match: { name: "e*" }
    dhcp4: true
YAML
cat >"$tree/user-data" <<YAML
#cloud-config
hostname: $name
manage_etc_hosts: localhost
users:
  - name: root
    lock_passwd: true
disable_root: false
locale: C.UTF-8
ssh_deletekeys: true
ssh_keys:
  ed25519_private: |
$(sed 's/^/    /' "$name.host")
  ed25519_public: $(cat "$name.host.pub")
write_files:
  - path: /etc/ssh/sshd_config.d/hearth.conf
    content: |
      HostKey /etc/ssh/ssh_host_ed25519_key
      TrustedUserCAKeys /etc/ssh/hearth/user_ca.pub
      AuthorizedPrincipalsFile /etc/ssh/hearth/principals/%u
      AuthorizedKeysFile /etc/ssh/hearth/authorized_keys .ssh/authorized_keys
      PermitRootLogin prohibit-password
      UseDNS no
      MaxSessions 64
  - path: /etc/ssh/hearth/user_ca.pub
    content: |
      $(cat user_ca.pub)
  - path: /etc/ssh/hearth/authorized_keys
    content: |
      $(cat agent.pub)
  - path: /etc/ssh/hearth/principals/root
    content: |
      environment:$name
YAML
genisoimage -quiet -output "$name.no-cloud.iso" -volid cidata -joliet -rock \
  "$tree/user-data" "$tree/meta-data" "$tree/network-config"
echo "$PWD/$name.no-cloud.iso"
