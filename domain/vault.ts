/**
 * Where personal data is sealed before it goes into an event; `infra` implements it.
 * Events are for ever, so what must be forgotten one day is unreadable without a key that can be
 * thrown away. Nothing that decides or calculates may depend on what is sealed.
 */
export type SealedFields = Readonly<Record<string, string>>

export type Sealed = { readonly subject: string; readonly sealed: string }

export type Vault = {
  /** Under the subject's own key, made on first use. Throws SubjectForgotten. */
  seal(subject: string, fields: SealedFields): Promise<string>
  /** Null when the subject was forgotten. Throws when the text is damaged or another subject's. */
  open(subject: string, sealed: string): Promise<SealedFields | null>
  /** As `open`, many at a time and in the same order. */
  openAll(texts: readonly Sealed[]): Promise<readonly (SealedFields | null)[]>
  /** As `seal`, of bytes, as bytes. Throws SubjectForgotten. */
  sealBytes(subject: string, bytes: Uint8Array): Promise<Uint8Array>
  /** As `open`, of what `sealBytes` made. */
  openBytes(subject: string, sealed: Uint8Array): Promise<Uint8Array | null>
  /** Destroys the subject's key, for good. */
  forget(subject: string): Promise<void>
}

/** What was forgotten stays so: nothing new is sealed for the subject either. */
export class SubjectForgotten extends Error {
  readonly code = 'SUBJECT_FORGOTTEN'
  constructor(subject: string) {
    super(`${subject} was forgotten`)
    this.name = 'SubjectForgotten'
  }
}
