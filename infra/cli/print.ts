import { Presets, SingleBar } from 'cli-progress'

/** Columns as wide as their widest cell; those named in `right` are aligned to the right. */
export const table = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): string => {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return right.includes(header[column] ?? '') ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(header), ...rows.map(line)].join('\n')
}

/** `12345678` is `12,345,678`. */
export const grouped = (count: number): string => count.toLocaleString('en-US')

export type Bar = {
  /** Shows `done` of `total`, with a word about it. */
  show(done: number, total: number, text?: string): void
  end(): void
}

/** A progress bar on standard error; nothing where that is no terminal. */
export const progressBar = (name: string): Bar => {
  const format = `${name.padEnd(12)} [{bar}] {percentage} %  {text}`
  const options = { format, stream: process.stderr, hideCursor: true, clearOnComplete: true }
  const bar = new SingleBar(options, Presets.legacy)
  let started = false
  return {
    show: (done, total, text = '') => {
      if (!started) bar.start(total, done, { text })
      else bar.update(done, { text })
      started = true
      bar.setTotal(total)
    },
    end: () => {
      if (started) bar.stop()
      started = false
    },
  }
}
