/** An id as a part of an account's code, which begins with a letter or digit; an id need not. */
export const codePartOf = (id: string): string => id.toLowerCase().replace(/^[_-]/, 'x$&')
