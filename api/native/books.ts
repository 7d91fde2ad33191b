import { addAsset, openBook } from '../../commands/ledger/index.ts'
import { getBook, listBooks } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Books'
const book = 'example'

export const bookRoutes: readonly Route[] = [
  write('post', '/v1/books', openBook, {
    tag,
    summary: 'Open a book',
    description: 'A book is a ledger with its own log stream and its own single writer.',
    response: views.BookOpened,
    problems: ['BOOK_EXISTS', 'TIME_ZONE_UNKNOWN'],
    example: { body: { book, name: 'Example bank', assets: ['USD/2', 'KES/2'] } },
    location: (opened) => `/v1/books/${opened.book}`,
    furtherExamples: [{ body: { book: 'main', name: 'Main book', assets: ['USD/2'] } }],
  }),
  read('/v1/books', listBooks, {
    tag,
    summary: 'List books',
    response: views.pageOf(views.Book, 'Book'),
    problems: ['BAD_CURSOR'],
    example: { query: { limit: '10' } },
  }),
  read('/v1/books/{book}', getBook, {
    tag,
    summary: 'Show a book',
    response: views.Book,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book } },
  }),
  write('post', '/v1/books/{book}/assets', addAsset, {
    tag,
    summary: 'Keep one more asset in a book',
    response: views.BookAsset,
    problems: ['BOOK_NOT_FOUND'],
    example: { params: { book }, body: { asset: 'EUR/2' } },
    furtherExamples: [{ params: { book: 'main' }, body: { asset: 'GHS/2' } }],
  }),
]
