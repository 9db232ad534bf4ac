// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { assertNever } from '@hearth/foundation'
import type { AppParts } from './release.ts'

/** Installs what the present folder says its app depends on; run by the space's user. */
export function installDependencies(runtime: AppParts['runtime']): string {
  switch (runtime) {
    case 'python3':
      return python
    case 'nodejs':
      return node
    default:
      return assertNever(runtime)
  }
}

/**
 * The virtual environment sees Debian's packages, so that what they satisfy is not installed again. The programs of such
 * packages run Debian's Python, which does not see the environment; so it has programs of the same names.
 */
const python = `if [[ -f requirements.txt ]]; then
  echo 'installing what requirements.txt names'
  rm -rf .venv
  python3 -m venv --without-pip --system-site-packages .venv
  python3 -m pip --python .venv/bin/python --disable-pip-version-check --no-input install --progress-bar off -r requirements.txt
  .venv/bin/python - <<'END'
import importlib.metadata, os, sys
folder = os.path.join(sys.prefix, 'bin')
for entry in importlib.metadata.entry_points(group='console_scripts'):
    path = os.path.join(folder, entry.name)
    if os.path.basename(entry.name) != entry.name or os.path.exists(path):
        continue
    with open(path, 'w') as program:
        program.write(f'#!{sys.executable}\\nimport sys\\nfrom {entry.module} import {entry.attr.split(".")[0]}\\nsys.exit({entry.attr}())\\n')
    os.chmod(path, 0o755)
END
fi
`

const node = `if [[ -f package-lock.json || -f npm-shrinkwrap.json ]]; then
  echo 'installing what package-lock.json names'
  npm ci --no-audit --no-fund --no-update-notifier
elif [[ -f package.json ]]; then
  echo 'nothing is installed: package.json has no package-lock.json beside it'
fi
`
