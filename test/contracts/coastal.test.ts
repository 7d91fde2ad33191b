import { playAll } from './play_all.ts'

playAll('test/contracts/coastal')
