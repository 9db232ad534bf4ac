#!/bin/bash
# Registers a runner of GitHub Actions for one job, and runs that. Hearth starts it anew after each, with a registration of
# its own: a registration token of GitHub is good for an hour only, so what is kept as a secret is what asks for one.
#
#   RUNNER_REPOSITORY  owner/name
#   RUNNER_TOKEN       may administer the repository (classic: repo; fine-grained: Administration, read and write)
#   RUNNER_SERVER      another GitHub's address, as in https://github.example.org; its API is below /api/v3
set -euo pipefail
: "${RUNNER_REPOSITORY:?name the repository, as in me/shop}" "${RUNNER_TOKEN:?the service names no secret RUNNER_TOKEN}"
server=${RUNNER_SERVER:-https://github.com}
api=https://api.github.com
[ "$server" = https://github.com ] || api=$server/api/v3

# The token comes over standard input: whoever lists the processes of the machine does not see it.
answer=$(curl --fail --silent --show-error --max-time 30 --request POST --header @- \
  "$api/repos/$RUNNER_REPOSITORY/actions/runners/registration-token" <<<"Authorization: Bearer $RUNNER_TOKEN")
registration=$(sed -n 's/.*"token": *"\([A-Za-z0-9_-]*\)".*/\1/p' <<<"$answer")
[ -n "$registration" ] || { echo "$api gave no registration token for $RUNNER_REPOSITORY" >&2; exit 1; }
# A job is not told what may administer its repository.
unset RUNNER_TOKEN

# What an earlier run left when it was cut off.
rm -f .runner .credentials .credentials_rsaparams
./config.sh --unattended --ephemeral --disableupdate --replace --name "$(hostname)" --labels hearth \
  --url "$server/$RUNNER_REPOSITORY" --token "$registration"
exec ./run.sh
