/**
 * What is drawn. The shapes are those of shared/board.View in JSON, and lib/backend's WidgetView fits them too. Times are
 * milliseconds since 1970 and are shown in UTC.
 */

export type Cell = number | string | boolean | null;
export type Row = readonly Cell[];
export type ColumnType = "number" | "time" | "text";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** Place on the 12-column grid, in columns and rows. */
export interface Layout {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Values by option name, of any type: whoever reads one checks it. Null or absent means automatic. */
export type Options = Readonly<Record<string, unknown>>;

export interface DrawWidget {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly layout: Layout;
  readonly options: Options;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

export interface DrawBoard {
  readonly title: string;
  readonly description?: string;
  readonly widgets: readonly DrawWidget[];
}

export interface DrawOptions {
  /** Drawn large, as in an enlarged view: more ticks, more points, more rows of a table. */
  readonly wide?: boolean;
}
