import { readFile } from 'node:fs/promises'
import type { Engine } from '../../commands/engine.ts'
import { newUlid } from '../../commands/ids.ts'
import { adoptModel } from '../../commands/models.ts'
import {
  challengersOf,
  championOf,
  type ModelFamily,
  Models,
  type ModelsState,
  type TrainedModel,
} from '../../domain/models.ts'
import { createTurns } from '../../domain/turns.ts'
import { loadModel, type Model } from '../../ml/model.ts'
import type { Panel } from '../../ml/scoring.ts'
import type { Glance } from '../glance.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import type { Artefacts } from './artefacts.ts'
import { describedBy } from './described.ts'

export type PanelSettings = {
  readonly family: ModelFamily
  readonly features: readonly string[]
  /** The path of the model that answers where the registry names none. */
  readonly shipped: string
  readonly engine: Pick<Engine, 'submit' | 'look'>
  readonly glance: Glance
  readonly artefacts: Artefacts
  readonly clock: () => Date
  /** From which probability to act, where the champion's own threshold shall not say. */
  readonly threshold?: number | undefined
  readonly log: Pick<Log, 'warn'>
}

export type Bench = {
  /** Work with those who answer and watch now, one piece of work after another. */
  withPanel<Result>(work: (panel: Panel) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** Loads what is wanted and not there yet, and lets go of what is wanted no more. */
const createShelf = ({ features, artefacts, shipped }: PanelSettings) => {
  const loaded = new Map<string, Model>()
  const take = async (name: string, read: () => Promise<Uint8Array>): Promise<Model> => {
    const known = loaded.get(name)
    if (known) return known
    const model = await loadModel(await read(), features)
    loaded.set(name, model)
    return model
  }
  return {
    take: ({ sha256 }: TrainedModel) => take(sha256, () => artefacts.load(sha256)),
    takeShipped: () => take(shipped, () => readFile(shipped)),
    keepOnly: async (wanted: readonly Model[]): Promise<void> => {
      for (const [name, model] of loaded) {
        if (wanted.includes(model)) continue
        loaded.delete(name)
        await model.close()
      }
    },
  }
}
type Shelf = ReturnType<typeof createShelf>

/** Keeps the shipped model and lets it answer, where none does yet. */
const adoptShipped = async (settings: PanelSettings, shelf: Shelf): Promise<void> => {
  const { family, shipped, artefacts, engine, clock } = settings
  const model = await shelf.takeShipped()
  const bytes = await readFile(shipped)
  const sha256 = await artefacts.save(bytes)
  const context = { actor: SYSTEM, at: clock(), correlation: newUlid() }
  await adoptModel({ engine }, describedBy(family, model, { sha256, bytes: bytes.length }), context)
}

/** The models of a family as the registry has them, loaded when first asked for. */
export const createPanel = (settings: PanelSettings): Bench => {
  const { family, glance, log } = settings
  const shelf = createShelf(settings)
  const inTurn = createTurns()
  const complaints = new Map<string, string>()
  let answering: Model | undefined

  /** Once, until it is over or is something else. */
  const complain = (about: string, complaint: string): void => {
    if (complaints.get(about) !== complaint) log.warn({ family }, complaint)
    complaints.set(about, complaint)
  }
  const registry = async (): Promise<ModelsState> => (await glance(Models, family)).state

  const champion = async (): Promise<Model> => {
    const named = championOf(await registry())
    if (!named) await adoptShipped(settings, shelf)
    const chosen = named ?? championOf(await registry())
    if (!chosen) throw new Error(`no ${family} model answers`)
    return shelf.take(chosen)
  }
  /** Where the champion's file cannot be used, whoever answered before goes on. */
  const answer = async (): Promise<Model> => {
    try {
      answering = await champion()
      complaints.delete('champion')
    } catch (error) {
      answering ??= await shelf.takeShipped()
      complain('champion', `the champion cannot be used, ${answering.version} answers: ${error}`)
    }
    return answering
  }
  /** Who only watches must not keep the champion from answering. */
  const watcher = async (model: TrainedModel): Promise<Model[]> => {
    try {
      const found = await shelf.take(model)
      complaints.delete(model.version)
      return [found]
    } catch (error) {
      complain(model.version, `the challenger ${model.version} cannot be used: ${error}`)
      return []
    }
  }
  const load = async (): Promise<Panel> => {
    const answers = await answer()
    const challengers = (await Promise.all(challengersOf(await registry()).map(watcher))).flat()
    await shelf.keepOnly([answers, ...challengers])
    const { threshold = answers.threshold } = settings
    return { champion: { ...answers, threshold }, challengers }
  }
  return {
    // In turn: a model must not be let go of while it works.
    withPanel: (work) => inTurn(async () => work(await load())),
    close: () => inTurn(() => shelf.keepOnly([])),
  }
}
