import type { CompletionNode } from './tree.ts'

/** A completion script for bash: `source <(hearth completion bash)`. */
export function bashCompletion(tree: readonly CompletionNode[]): string {
  const cases = tree.map((node) => {
    const words = [...node.words.map(({ word }) => word), ...node.options.map(({ flag }) => flag)]
    return `    '${node.path.join(' ')}') words='${words.join(' ')}' ;;`
  })
  const choices = new Map(
    tree
      .flatMap(({ options }) => options.filter((option) => option.choices.length > 0))
      .map((o) => [o.flag, o.choices]),
  )
  const values = [...choices].map(([flag, list]) => `    ${flag}) words='${list.join(' ')}' ;;`)
  const commands = tree.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`)
  return `# Completion of hearth for bash. Load it with: source <(hearth completion bash)
_hearth() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
    ${commands.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$previous" in
${values.join('\n')}
    --file|-f) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --state) COMPREPLY=($(compgen -d -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _hearth hearth
`
}
