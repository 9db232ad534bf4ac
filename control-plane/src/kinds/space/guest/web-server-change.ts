// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's

/** Seconds that requests which are being answered may take before the processes that answer them are ended. */
const finishingSeconds = 20

/**
 * `change_site FILE TEXT` gives nginx another configuration of a site, and takes it back where nginx refuses it. It ends
 * when the workers that had the former one take no more requests and have answered theirs, or had time for it: a WebSocket
 * has no end.
 */
export const webServerFunctions = `nginx_workers() {
  local master=
  { read -r master </run/nginx.pid; } 2>/dev/null || return 0
  pgrep -P "$master" || :
}
takes_requests() {
  local title=
  { IFS= read -r -d '' title <"/proc/$1/cmdline"; } 2>/dev/null || return
  [[ $title == 'nginx: worker process' ]]
}
write_site() {
  printf '%s\\n' "$2" >"$1.new"
  mv -T -- "$1.new" "$1"
}
change_site() {
  local former workers worker tries
  former=$(<"$1")
  write_site "$1" "$2"
  nginx -t -q || { write_site "$1" "$former"; fail "nginx refuses its new configuration in $1, and keeps the former one"; }
  if ! systemctl is-active -q nginx.service; then
    systemctl start nginx.service
    return
  fi
  workers=$(nginx_workers)
  systemctl reload nginx.service
  for ((tries = 0; tries < ${finishingSeconds * 10}; tries++)); do
    for worker in $workers; do
      if [[ -d /proc/$worker ]]; then
        read -r -t 0.1 -u "$never" || :
        continue 2
      fi
    done
    return 0
  done
  for worker in $workers; do
    if takes_requests "$worker"; then
      write_site "$1" "$former"
      fail 'nginx has not taken its new configuration within ${finishingSeconds} seconds: see journalctl -u nginx'
    fi
  done
}
# Nothing is ever written to it.
exec {never}<> <(:)
`
