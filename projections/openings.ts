import { openingEvents } from '../domain/openings.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const openings: Table = {
  name: 'openings',
  columns: {
    opening: 'text',
    number: 'bigint',
    book: 'text',
    asset: 'text',
    plan: 'text',
    card: 'text',
    application: 'text',
    phone_verified: 'boolean',
    photo: 'text',
    status: 'text',
    submitted_by: 'text',
    submitted_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    reason: 'text',
    failure: 'text',
    account: 'text',
    sent_by: 'text',
    sent_at: 'timestamptz',
    changed_at: 'timestamptz',
  },
  key: ['opening'],
  indexes: [
    ['number'],
    ['book', 'asset', 'number'],
    ['submitted_by', 'number'],
    { columns: ['number'], where: "status = 'accepted'" },
  ],
}

const untouched = {
  ...{ photo: null, decided_by: null, decided_at: null, reason: '', failure: null },
  ...{ account: null, sent_by: null, sent_at: null },
}

export const openingBook = projection({
  name: 'openings',
  version: 1,
  tables: [openings],
  schemas: openingEvents,
  on: {
    OpeningSubmitted: ({ data }, rows) =>
      rows.put(openings, {
        ...{ ...data, ...untouched, status: 'pending', changed_at: data.submitted_at },
      }),
    OpeningPhotoAdded: ({ data: { opening, photo, added_at } }, rows) =>
      rows.patch(openings, { opening }, { photo: photo.attachment, changed_at: added_at }),
    OpeningApproved: ({ data: { opening, approved_by, approved_at } }, rows) =>
      rows.patch(
        openings,
        { opening },
        {
          ...{ status: 'accepted', failure: null, decided_by: approved_by },
          ...{ decided_at: approved_at, changed_at: approved_at },
        },
      ),
    OpeningFulfilled: ({ data: { opening, account, fulfilled_at } }, rows) =>
      rows.patch(openings, { opening }, { status: 'approved', account, changed_at: fulfilled_at }),
    OpeningReturned: ({ data: { opening, code, returned_at } }, rows) =>
      rows.patch(
        openings,
        { opening },
        {
          ...{ status: 'pending', failure: code, decided_by: null, decided_at: null },
          changed_at: returned_at,
        },
      ),
    OpeningRejected: ({ data: { opening, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        openings,
        { opening },
        {
          ...{ status: 'rejected', reason, decided_by: rejected_by },
          ...{ decided_at: rejected_at, changed_at: rejected_at },
        },
      ),
    OpeningCredentialsSent: ({ data: { opening, sent_by, sent_at } }, rows) =>
      rows.patch(
        openings,
        { opening },
        { status: 'completed', sent_by, sent_at, changed_at: sent_at },
      ),
    OpeningForgotten: ({ data: { opening, forgotten_at } }, rows) =>
      rows.patch(
        openings,
        { opening },
        { application: null, reason: null, photo: null, changed_at: forgotten_at },
      ),
  },
})
