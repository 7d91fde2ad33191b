/** ISO 8601 without milliseconds, as the older products write it. */
export const instant = (at: Date | string): string =>
  new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
