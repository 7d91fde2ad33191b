export { type ExportProgress, pathOfExport } from './make.ts'
export { type Exporter, type ExporterOptions, startExporter } from './worker.ts'
