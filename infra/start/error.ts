/**
 * A reason why Daybook cannot start which the person at the keyboard can act upon. `line` is one
 * sentence without a line break; print it alone, without a stack, and exit non-zero.
 */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly line: string

  constructor(line: string, cause?: unknown) {
    const single = line.replaceAll(/\s+/g, ' ').trim()
    super(single, { cause })
    this.line = single
  }
}

/**
 * Turns a file system error into one line about `what`, naming the path. Anything that is not a
 * known condition of the machine is a bug and comes back unchanged.
 */
export function fileFault(error: unknown, what: string, path: string): unknown {
  const reasons: { readonly [code: string]: string } = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EROFS: 'the file system is read-only',
    EACCES: 'permission was denied',
    EPERM: 'permission was denied',
    EEXIST: 'it is a file, not a directory',
    ENOTDIR: 'a part of this path is a file, not a directory',
    ELOOP: 'its symbolic links go round in a circle',
    ENAMETOOLONG: 'the path is too long',
    EIO: 'the disk reported an input/output error',
    EMFILE: 'this process has too many open files',
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons[code]
  return reason === undefined ? error : new StartError(`${what} ${path}: ${reason}.`, error)
}
