import type { WriteStream } from 'node:tty'

export type Checklist = {
  /**
   * Runs `work` as the step `name` and reports how it ended, with the detail that it returns. A
   * failure is reported and thrown on. Steps may overlap.
   */
  step(name: string, work: (progress: (text: string) => void) => Promise<string>): Promise<void>
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMs = 80
const nameWidth = 16
const eraseLine = '\r\u001b[2K'

/**
 * A checklist of what is started. On a terminal the steps under way turn on one last line; anywhere
 * else there is one plain line per finished step and nothing that moves.
 */
export function checklist(stream: NodeJS.WritableStream): Checklist {
  const terminal = (stream as Partial<WriteStream>).isTTY === true
  const paint = terminal && !process.env.NO_COLOR ? colour : (_code: number, text: string) => text
  const active = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined
  let frame = 0

  function draw(): void {
    frame = (frame + 1) % frames.length
    const steps = [...active].map(([name, text]) => (text === '' ? name : `${name}: ${text}`))
    // A line that wraps could not be erased. Some terminals say that they have 0 columns.
    const columns = (stream as Partial<WriteStream>).columns || 80
    stream.write(`${eraseLine}${frames[frame]} ${steps.join(' · ')}`.slice(0, columns + 3))
  }

  function begin(name: string): void {
    active.set(name, '')
    if (terminal) timer ??= setInterval(draw, frameMs).unref()
  }

  function end(name: string, line: string): void {
    active.delete(name)
    stream.write(`${terminal ? eraseLine : ''}${line.trimEnd()}\n`)
    if (active.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  async function step(
    name: string,
    work: (progress: (text: string) => void) => Promise<string>,
  ): Promise<void> {
    const since = performance.now()
    begin(name)
    try {
      const detail = await work((text) => {
        if (active.has(name)) active.set(name, text)
      })
      const took = `${Math.round(performance.now() - since)} ms`.padStart(9)
      end(name, `${paint(32, '✓')} ${name.padEnd(nameWidth)} ${paint(2, took)}  ${detail}`)
    } catch (error) {
      end(name, `${paint(31, '✗')} ${name}`)
      throw error
    }
  }
  return { step }
}

function colour(code: number, text: string): string {
  return `\u001b[${code}m${text}\u001b[0m`
}
