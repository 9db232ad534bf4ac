/** Of the routes of environments and of claims. */
export const extension = {
  summary:
    'Put the end of its life off: of its lifetime, and for idleness; within the cap of the organization',
  status: 200,
} as const
export const activity = {
  summary: 'Say that it is used, in a way that Hearth cannot see: it does not end for idleness soon',
  status: 200,
} as const
