// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's

/**
 * Every instance of a process has a network of its own: old and new release may listen on the same port side by side, and no
 * space reaches what listens for another one, or for the machine. A network has a number, from which its names and addresses
 * follow: the namespace and the link `app-NUMBER`, and the four addresses of 10.213.0.0/16 from four times the number on, of
 * which the machine has the first and the instance the second. The web server's configuration holds them, so that a number
 * stays with what it was given to, over restarts of the machine too.
 */
export const networksFolder = '/var/lib/hearth-app/networks'

/**
 * What is sent to an instance whose network is not there, as after a restart of the machine, goes nowhere: by the default route it
 * would leave the machine, and whoever has that address outside would get the requests of the app.
 */
export const unreachableNetworks = 'unreachable 10.213.0.0/16'

/** What has to hold outside: addresses are translated on the way out, and nothing else goes between networks. */
const outsideRules = `table inet hearth-app
delete table inet hearth-app
table inet hearth-app {
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain leave {
    type nat hook postrouting priority srcnat
    ip saddr 10.213.0.0/16 oifname != "app-*" masquerade
  }
  chain pass {
    type filter hook forward priority filter
    ct state established,related accept
    oifname "app-*" goto refuse
    iifname "app-*" ip daddr 10.213.0.0/16 goto refuse
  }
  chain enter {
    type filter hook input priority filter
    iifname "app-*" ct state established,related accept
    iifname "app-*" goto refuse
  }
  chain call {
    type filter hook output priority filter
    oifname "app-*" ct state established,related accept
    oifname "app-*" meta skuid != { "root", "www-data" } goto refuse
  }
}`

/** Leads what is sent to any port of an instance to its loopback, where a server that listens on every address is too. */
const insideRules = `table ip hearth-app
delete table ip hearth-app
table ip hearth-app {
  chain arrive {
    type nat hook prerouting priority dstnat
    iifname "eth0" meta l4proto tcp fib daddr type local dnat to 127.0.0.1
  }
}`

/** Sets `number` to that of the network of a key, and `inside` to the address of what runs in it; fails where there is none. */
export const findNetwork = `networks=${networksFolder} running=/run/hearth-app number='' outside='' inside=''
find_network() {
  local file line
  for file in "$networks"/*; do
    line=''
    if [[ -f $file ]] && { read -r line <"$file" || :; } && [[ $line == "$1" ]]; then
      use_network "\${file##*/}"
      return
    fi
  done
  return 1
}
use_network() {
  number=$1
  outside=10.213.$((number / 64)).$((number % 64 * 4 + 1))
  inside=10.213.$((number / 64)).$((number % 64 * 4 + 2))
}
lock_networks() {
  [[ -d $networks && -d $running ]] || install -d -m 700 "$networks" "$running"
  exec {lock}>"$running/lock"
  flock "$lock"
}
unlock_networks() { exec {lock}>&-; }
# What a killed start, or a machine that went down, has left is made anew.
forget_network() {
  rm -f -- "$running/$1"
  ip netns delete "app-$1" 2>/dev/null || :
  ip link delete "app-$1" 2>/dev/null || :
  rm -rf -- "/etc/netns/app-$1"
}
`

/** `take_network KEY`: as `find_network`, and gives it one where it has none. It is there, and connected, afterwards. */
export const takeNetwork = `${findNetwork}
take_network() {
  lock_networks
  if ! find_network "$1"; then
    number=0
    while [[ -e $networks/$number ]]; do number=$((number + 1)); done
    ((number < 16384)) || fail 'all 16384 networks of this machine are taken'
    use_network "$number"
    printf '%s\\n' "$1" >"$networks/.new"
    mv -T -- "$networks/.new" "$networks/$number"
  fi
  touch -- "$networks/$number"
  [[ -e $running/$number ]] || make_network
  unlock_networks
}
make_network() {
  local name=app-$number host server
  host=$(</proc/sys/kernel/hostname)
  forget_network "$number"
  mkdir -p "/etc/netns/$name"
  # Servers that listen on "localhost" are found on its IPv4 address only.
  printf '127.0.0.1 localhost %s\\n' "$host" >"/etc/netns/$name/hosts"
  # A resolver of the machine itself is out of reach.
  server=$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)
  if [[ $server == 127.* && -f /run/systemd/resolve/resolv.conf ]]; then
    cp /run/systemd/resolve/resolv.conf "/etc/netns/$name/resolv.conf"
  fi
  ip netns add "$name"
  ip -batch - <<END
route replace ${unreachableNetworks}
link add $name type veth peer name eth0 netns $name
address add $outside/30 dev $name
link set $name up
END
  ip -n "$name" -batch - <<END
link set lo up
address add $inside/30 dev eth0
link set eth0 up
route add default via $outside
END
  ip netns exec "$name" bash -c 'printf 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet && exec nft -f -' <<'END'
${insideRules}
END
  nft -f - <<'END'
${outsideRules}
END
  printf 1 >/proc/sys/net/ipv4/ip_forward
  : >"$running/$number"
}
`
