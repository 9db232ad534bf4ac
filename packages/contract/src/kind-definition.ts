import type { z } from 'zod'

/** What a phase waits for, and for how long; or why it may wait for ever. */
export type Wait =
  /** Nothing is waited for: only a wish or an event moves it on. */
  | { waitsFor: null }
  /** After so many seconds the cause is recorded and the phase ends, or what it waits for is asked again. */
  | { waitsFor: string; deadlineSeconds: number }
  /** What is waited for has a deadline of its own, or is a person's to decide. */
  | { waitsFor: string; deadlineSeconds: null; because: string }

/** Of a phase that waits for nothing. */
export const rests: Wait = { waitsFor: null }

/** How a phase is to be taken: `busy` is on its way. */
export type Tone = 'good' | 'bad' | 'busy' | 'quiet'

/** `EnvironmentClass` as `environment-class`. */
type Hyphenated<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? Rest extends Uncapitalize<Rest>
    ? `${Lowercase<First>}${Hyphenated<Rest>}`
    : `${Lowercase<First>}-${Hyphenated<Rest>}`
  : Text

interface Definition<Kind extends string, Item extends z.ZodType, Phase extends string> {
  /** As `kind` in a resource: `EnvironmentClass`. */
  kind: Kind
  schema: Item
  /** For help: what these are. */
  summary: string
  /** Further words for it on the command line. */
  aliases?: readonly string[]
  /** In sentences to people who know which kind is meant; by default the noun. */
  shortNoun?: string
  /** Whether its changes are events. */
  hasEvents: boolean
  /** Whether `why` says in words why one is as it is. */
  isExplained: boolean
  /** What each phase waits for; empty where a kind has no phases that change. */
  waits: Readonly<Record<Phase, Wait>>
  /** How each phase is to be taken; those that are not named are on their way. */
  tones?: Readonly<Partial<Record<NoInfer<Phase>, Tone>>>
}

/** The words of one kind: the same in paths, events, OpenAPI, the client and the command. */
export interface KindDefinition<Item = unknown, Kind extends string = string, Phase extends string = string> {
  kind: Kind
  schema: z.ZodType<Item>
  summary: string
  aliases: readonly string[]
  hasEvents: boolean
  isExplained: boolean
  waits: Readonly<Record<Phase, Wait>>
  tones: Readonly<Partial<Record<string, Tone>>>
  /** In sentences: `environment class`, `environment classes`. */
  noun: string
  nouns: string
  shortNoun: string
  /** In file names and on the command line: `environment-class`, `environment-classes`. */
  word: Hyphenated<Kind>
  words: string
  /** Of its routes: `/v1/environment-classes`. */
  path: string
  /** In OpenAPI: `Environment classes`. */
  tag: string
}

/** All words of a kind follow from its name: `EnvironmentClass`. */
export function defineKind<
  const Kind extends string,
  Item extends z.ZodType,
  Phase extends string,
  HasEvents extends boolean,
  IsExplained extends boolean,
>(
  definition: Definition<Kind, Item, Phase> & { hasEvents: HasEvents; isExplained: IsExplained },
): KindDefinition<z.output<Item>, Kind, Phase> & { hasEvents: HasEvents; isExplained: IsExplained } {
  const noun = definition.kind.replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()
  const nouns = /(s|x|ch)$/.test(noun) ? `${noun}es` : `${noun}s`
  const words = nouns.replaceAll(' ', '-')
  return {
    aliases: [],
    tones: {},
    shortNoun: noun,
    ...definition,
    schema: definition.schema as unknown as z.ZodType<z.output<Item>>,
    noun,
    nouns,
    word: noun.replaceAll(' ', '-') as Hyphenated<Kind>,
    words,
    path: `/v1/${words}`,
    tag: nouns.charAt(0).toUpperCase() + nouns.slice(1),
  }
}
