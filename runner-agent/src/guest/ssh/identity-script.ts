import { randomSeedPath } from '../../host/image.ts'

/**
 * Says who the guest is, one `name value` a line, then answers requests on its input: `time` with its clock,
 * `set <seconds>` by setting it. The requests make the measurement one short trip, without the start of the program.
 */
export const identityScript = [
  'machine_id= hostname= seed=',
  'read -r machine_id </etc/machine-id',
  'read -r hostname </proc/sys/kernel/hostname',
  `read -r seed _ < <(sha256sum ${randomSeedPath} 2>/dev/null)`,
  'printf \'machine_id %s\\nhostname %s\\nseed %s\\nready\\n\' "$machine_id" "$hostname" "$seed"',
  'while read -r request value; do',
  '  case $request in',
  `    time) printf 'time %s\\n' "$EPOCHREALTIME" ;;`,
  '    set) date -u -s "@$value" >/dev/null ;;',
  '    *) exit 0 ;;',
  '  esac',
  'done',
].join('\n')
